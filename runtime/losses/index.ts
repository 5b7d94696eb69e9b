/**
 * The objectives by method, as a configuration asks for them. A new one is a file beside this one, an entry here, and a preset.
 */
import { gammaOf } from '../../configs/derive.ts';
import type { Method, ResolvedConfig } from '../../configs/schema.ts';
import type { Objective } from './objective.ts';
import { simdinoObjective } from './simdino.ts';
import type { SimdinoOptions } from './simdino.ts';

export const objectives = {
  simdino: (config) => simdinoObjective(simdinoOptions(config)),
} satisfies Record<Method, (config: ResolvedConfig) => Objective>;

/** The coding rate's part of a configuration, gamma as a number. */
export function simdinoOptions(config: Pick<ResolvedConfig, 'crops' | 'projector' | 'loss' | 'train'>): SimdinoOptions {
  const { eps, pairs, codingRate } = config.loss;
  return { eps, gamma: gammaOf(config), pairs, codingRate };
}
