/**
 * The objectives by method, as a configuration asks for them. A new one is a file beside this one, an entry here, and a preset.
 */
import { gammaOf } from '../../configs/derive.ts';
import type { Method, ResolvedConfig } from '../../configs/schema.ts';
import { dinoObjective } from './dino.ts';
import type { Objective } from './objective.ts';
import { simdinoObjective } from './simdino.ts';
import type { SimdinoOptions } from './simdino.ts';

export const objectives = {
  simdino: (config) => simdinoObjective(simdinoOptions(config)),
  dino: (config) => {
    const { prototypes, studentTemperature, centerMomentum } = dinoSection(config);
    return dinoObjective({ prototypes, studentTemperature, centerMomentum, measured: simdinoOptions(config) });
  },
} satisfies Record<Method, (config: ResolvedConfig) => Objective>;

/** The coding rate's part of a configuration, gamma as a number. */
export function simdinoOptions(config: Pick<ResolvedConfig, 'crops' | 'projector' | 'loss' | 'train'>): SimdinoOptions {
  const { eps, pairs, codingRate } = config.loss;
  return { eps, gamma: gammaOf(config), pairs, codingRate };
}

/** DINO's section, which a resolved configuration of that method has. */
export function dinoSection({ dino }: Pick<ResolvedConfig, 'dino'>): NonNullable<ResolvedConfig['dino']> {
  if (!dino) throw new Error('internal: a configuration of method dino was not resolved: it lacks `dino`.');
  return dino;
}
