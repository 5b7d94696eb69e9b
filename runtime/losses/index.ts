/**
 * The objectives by method, as a configuration asks for them. A new one is a file beside this one, an entry here, and a preset.
 */
import type { Method, ResolvedConfig } from '../../configs/schema.ts';
import { errors } from '../../protocol/errors.ts';
import { dinoObjective } from './dino.ts';
import { dinov2Objective } from './dinov2.ts';
import type { Objective } from './objective.ts';
import { simdinoObjective } from './simdino.ts';
import { simdinoOptions } from './simdinoOptions.ts';
import { simdinov2Objective } from './simdinov2.ts';

export const objectives = {
  simdino: (config) => simdinoObjective(simdinoOptions(config)),
  simdinov2: (config) => {
    const { viewWeight, patchWeight, average } = maskingSection(config);
    return simdinov2Objective({ ...simdinoOptions(config), viewWeight, patchWeight, average });
  },
  dino: (config) => {
    const { prototypes, studentTemperature, centerMomentum } = dinoSection(config);
    return dinoObjective({ prototypes, studentTemperature, centerMomentum, measured: simdinoOptions(config) });
  },
  dinov2: (config) => {
    const { prototypes, studentTemperature, centerMomentum } = dinoSection(config);
    const { centering, sinkhornIterations, koleoWeight, koleoGroups, patchHead, patchPrototypes } =
      dinov2Section(config);
    const { viewWeight, patchWeight, average } = maskingSection(config);
    return dinov2Objective({
      prototypes: { views: prototypes, patches: patchHead === 'separate' ? patchPrototypes : prototypes },
      centering:
        centering === 'ema'
          ? { kind: 'ema', momentum: centerMomentum }
          : { kind: 'sinkhornKnopp', iterations: sinkhornIterations },
      studentTemperature,
      koleoWeight,
      koleoGroups,
      viewWeight,
      patchWeight,
      average,
      measured: simdinoOptions(config),
    });
  },
} satisfies Record<Method, (config: ResolvedConfig) => Objective>;

/** Objectives of one's own, by the names that `loss.own` calls them: an import above and a line here each. */
export const ownObjectives: Record<string, (config: ResolvedConfig) => Objective> = {};

/** The objective of a configuration: the method's, or one's own. @throws objectiveUnknown */
export function objectiveOf(config: ResolvedConfig): Objective {
  const { own } = config.loss;
  if (own === undefined) return objectives[config.method](config);
  const make = Object.hasOwn(ownObjectives, own) ? ownObjectives[own] : undefined;
  if (!make) throw errors.objectiveUnknown(own, Object.keys(ownObjectives));
  return make(config);
}

/** DINO's section, which a resolved configuration of DINO or DINOv2 has. */
export function dinoSection({ dino }: Pick<ResolvedConfig, 'dino'>): NonNullable<ResolvedConfig['dino']> {
  return section('dino', dino);
}

/** DINOv2's section, which a resolved configuration of that method has. */
function dinov2Section({ dinov2 }: Pick<ResolvedConfig, 'dinov2'>): NonNullable<ResolvedConfig['dinov2']> {
  return section('dinov2', dinov2);
}

/** What SimDINOv2 and DINOv2 hide, which a resolved configuration of those methods has. */
function maskingSection({ masking }: Pick<ResolvedConfig, 'masking'>): NonNullable<ResolvedConfig['masking']> {
  return section('masking', masking);
}

function section<T>(name: string, value: T | undefined): T {
  if (value === undefined) throw new Error(`internal: a configuration was not resolved: it lacks \`${name}\`.`);
  return value;
}
