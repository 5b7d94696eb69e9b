/**
 * Is this run learning, or collapsing? Read from what the trainer logs: the coding rate between its value for collapsed
 * features and its maximum, the effective rank, and whether the loss is finite.
 */
import type { RunSummary } from '../protocol/panelMessages.ts';
import type { JsonScalar } from '../protocol/records.ts';

export interface Assessment {
  verdict: 'healthy' | 'warmingUp' | 'narrowing' | 'collapsed' | 'diverged' | 'unknown';
  /** The facts in one sentence. */
  reason: string;
  /** Share of the way from collapsed to the maximum, 0 to 1; null where not known. */
  spread: number | null;
  /** Configuration changes to fork the run with; null where nothing is wrong. */
  remedy: { changes: Record<string, JsonScalar>; words: string } | null;
}

/** Below this share of the range between collapsed and maximal coding rate, features count as collapsed. */
const collapsedShare = 0.05;
const narrowShare = 0.25;
/** Features spread only after some steps: low values before this share of the run are no collapse. */
const warmUpShare = 0.05;

export function assess(
  run: Pick<RunSummary, 'last' | 'step' | 'totalSteps' | 'codingRateCollapsed' | 'config'>,
): Assessment {
  const { last, config } = run;
  const loss = last['loss'];
  if (loss !== undefined && !Number.isFinite(loss)) {
    const lr = config['optim.lr'];
    const remedy =
      typeof lr === 'number' ? { changes: { 'optim.lr': lr / 2 }, words: `halve optim.lr to ${lr / 2}` } : null;
    return { verdict: 'diverged', reason: `The loss became ${loss} at step ${run.step}.`, spread: null, remedy };
  }
  const rate = last['codingRate'];
  const maximum = last['codingRateMax'];
  const collapsed = run.codingRateCollapsed ?? 0;
  if (rate === undefined || maximum === undefined || !(maximum > collapsed)) {
    return { verdict: 'unknown', reason: 'The coding rate was not logged yet.', spread: null, remedy: null };
  }
  const spread = Math.min(1, Math.max(0, (rate - collapsed) / (maximum - collapsed)));
  const percent = `${(100 * spread).toFixed(0)} %`;
  const rank = last['effectiveRank'];
  const rankWords = rank === undefined ? '' : `, effective rank ${rank.toFixed(rank < 10 ? 1 : 0)}${dimWords(config)}`;
  const reason = `Coding rate at ${percent} of the way from collapsed to its maximum${rankWords}.`;
  if (spread >= narrowShare) return { verdict: 'healthy', reason, spread, remedy: null };
  if (run.step < warmUpShare * run.totalSteps) return { verdict: 'warmingUp', reason, spread, remedy: null };
  const factor = config['loss.gammaFactor'];
  const doubled = typeof factor === 'number' ? factor * 2 : 2;
  const remedy = {
    changes: { 'loss.gammaFactor': doubled },
    words: `weigh the coding rate more: loss.gammaFactor ${doubled}`,
  };
  return { verdict: spread < collapsedShare ? 'collapsed' : 'narrowing', reason, spread, remedy };
}

function dimWords(config: Record<string, JsonScalar>): string {
  const dim = config['projector.outputDim'];
  return typeof dim === 'number' ? ` of ${dim}` : '';
}
