import { gammaOf } from '../../configs/derive.ts';
import type { ResolvedConfig } from '../../configs/schema.ts';
import type { Regulariser } from './regulariser.ts';
import type { SimdinoOptions } from './simdino.ts';

/** The coding rate's part of a configuration, gamma as a number. */
export function simdinoOptions(
  config: Pick<ResolvedConfig, 'crops' | 'model' | 'projector' | 'loss' | 'train' | 'masking'>,
): SimdinoOptions {
  const { eps, pairs, codingRate } = config.loss;
  const regulariser = regulariserOf(config.loss);
  return { eps, gamma: gammaOf(config), pairs, codingRate, ...(regulariser ? { regulariser } : {}) };
}

/** What stands in the place of the coding rate; undefined where it stands itself. */
function regulariserOf({ regulariser: kind, alternative }: ResolvedConfig['loss']): Regulariser | undefined {
  const { weight, temperature, lambda } = alternative;
  switch (kind) {
    case 'codingRate':
      return undefined;
    case 'infoNce':
      return { kind, weight, temperature };
    case 'uniformity':
      return { kind, weight };
    case 'barlowTwins':
      return { kind, weight, lambda };
  }
}
