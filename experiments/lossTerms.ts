/**
 * What a run minimises, as a sum of what it logs: each method's equation with the weights of the configuration. A part that is not
 * logged by itself is what is left of the loss.
 */
import type { JsonScalar } from '../protocol/records.ts';

export interface LossTerm {
  /** The logged metric. */
  metric: string;
  /** Negative where the term is subtracted. */
  weight: number;
  /** Logged metric that multiplies it, too. */
  times?: 'gamma';
}

export interface LossTerms {
  terms: LossTerm[];
  /** The part that is not logged by itself; null where the terms are all. */
  rest: LossRest | null;
}

export type LossRest = 'infoNce' | 'uniformity' | 'barlowTwins' | 'divergence';

type FlatConfig = Readonly<Record<string, JsonScalar>>;

/** Null where the objective is one's own, or the configuration does not say what it is. */
export function lossTerms(config: FlatConfig): LossTerms | null {
  if (config['loss.own'] != null) return null;
  switch (config['method']) {
    case 'simdino':
      return withSpread([{ metric: 'distance', weight: 1 }], config);
    case 'simdinov2': {
      const distances = weighed({ distance: 'masking.viewWeight', patchDistance: 'masking.patchWeight' }, config);
      return distances && withSpread(distances, config);
    }
    case 'dino':
      // Cross-entropy, eq. (4): the entropy of the teacher, and how far the student's distribution is from it.
      return { terms: [{ metric: 'teacherEntropy', weight: 1 }], rest: 'divergence' };
    case 'dinov2': {
      const terms = weighed(
        {
          viewCrossEntropy: 'masking.viewWeight',
          patchCrossEntropy: 'masking.patchWeight',
          koleo: 'dinov2.koleoWeight',
        },
        config,
      );
      return terms && { terms, rest: null };
    }
    default:
      return null;
  }
}

/** The term that keeps features apart: the coding rate, or what Table 5 puts in its place. */
function withSpread(distances: LossTerm[], config: FlatConfig): LossTerms | null {
  const regulariser = config['loss.regulariser'] ?? 'codingRate';
  switch (regulariser) {
    case 'codingRate':
      return { terms: [...distances, { metric: 'codingRate', weight: -1, times: 'gamma' }], rest: null };
    case 'infoNce':
    case 'uniformity':
    case 'barlowTwins':
      return { terms: distances, rest: regulariser };
    default:
      return null;
  }
}

/** Terms with the weights that keys hold; null where a key is missing. */
function weighed(keys: Record<string, string>, config: FlatConfig): LossTerm[] | null {
  const terms = Object.entries(keys).map(([metric, key]) => ({ metric, weight: config[key] }));
  if (!terms.every((term): term is LossTerm => typeof term.weight === 'number')) return null;
  return terms.filter(({ weight }) => weight !== 0);
}
