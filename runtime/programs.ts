/** The programs of a training run, built from plain data on either side of the executor's channel. */
import type { ResolvedConfig } from '../configs/schema.ts';
import { buildFeatureProgram } from './featureStep.ts';
import type { ProgramSet } from './engines/executor/programSet.ts';
import type { ScheduleTotals } from './optim/schedules.ts';
import { trainPrograms } from './trainPrograms.ts';
import { buildTrainStep } from './trainStep.ts';

export interface ProgramSpec {
  config: ResolvedConfig;
  totals: ScheduleTotals;
}

/** Images that go through the teacher at a time when features are taken. */
export const featureBatch = 128;

/** `train` takes a step; `features` maps images to the teacher's features. Both share the networks' state. */
export function buildPrograms({ config, totals }: ProgramSpec, reductions = 0): ProgramSet | undefined {
  const step = buildTrainStep(config, totals);
  const training = trainPrograms(step, config, { reductions });
  if (!training) return undefined;
  return {
    ...training,
    state: step.program.state,
    programs: {
      ...training.programs,
      features: buildFeatureProgram(config, {
        network: 'teacher',
        images: featureBatch,
        sizePx: config.crops.global.sizePx,
      }),
    },
    initialState: step.initialState,
  };
}
