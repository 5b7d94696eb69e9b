/** The programs of a training run, built from plain data on either side of the executor's channel. */
import type { ResolvedConfig } from '../configs/schema.ts';
import { buildEvaluationPrograms, type EvaluationSpec } from './eval/evaluationPrograms.ts';
import { probedBlocks } from './eval/linearProbe.ts';
import { buildProbeFeatureProgram } from './eval/probeFeatureStep.ts';
import { buildFeatureProgram } from './featureStep.ts';
import type { ProgramSet } from './engines/executor/programSet.ts';
import { networkConfig } from './models/network.ts';
import type { OwnShare } from './ops/sumOverRanks.ts';
import type { ScheduleTotals } from './optim/schedules.ts';
import { trainPrograms } from './trainPrograms.ts';
import { buildTrainStep } from './trainStep.ts';

export interface ProgramSpec {
  config: ResolvedConfig;
  totals: ScheduleTotals;
  /** The part of each batch that this process takes, where several train together. */
  share?: OwnShare;
}

/** Numbers that a block's attention may have, in float32 256 MiB. */
const attentionNumbers = 2 ** 26;

/**
 * Images that go through the teacher at a time when features are taken: 128, fewer where the attention of a block, [B,A,N,N], would be
 * large. Beyond that more of them are not faster.
 */
export function featureBatch(config: Pick<ResolvedConfig, 'model' | 'projector' | 'crops'>): number {
  const { heads, patchSizePx, registers = 0 } = networkConfig(config).backbone;
  const tokens = 1 + registers + Math.floor(config.crops.global.sizePx / patchSizePx) ** 2;
  return Math.min(128, Math.max(1, Math.floor(attentionNumbers / (heads * tokens ** 2))));
}

/**
 * The programs of training, or those of an evaluation.
 *
 * `train` takes a step; `features` maps images to the teacher's features. `probeFeatures` maps them to those that linear
 * classifiers see. They share the networks' state.
 *
 * @param reductions see `trainPrograms`
 */
export function buildPrograms(
  spec: ProgramSpec | { evaluation: EvaluationSpec },
  reductions = 0,
): ProgramSet | undefined {
  // Evaluations are small; what doesn't fit as it is doesn't fit.
  if ('evaluation' in spec) return reductions === 0 ? buildEvaluationPrograms(spec.evaluation) : undefined;
  const { config, totals, share } = spec;
  const step = buildTrainStep(config, totals, share);
  // A process's share is not divided further.
  const alone = reductions === 0 ? { programs: { train: step.program } } : undefined;
  const training = share ? alone : trainPrograms(step, config, { reductions });
  if (!training) return undefined;
  const images = featureBatch(config);
  return {
    ...training,
    state: step.program.state,
    programs: {
      ...training.programs,
      features: buildFeatureProgram(config, {
        network: 'teacher',
        images,
        sizePx: config.crops.global.sizePx,
      }),
      probeFeatures: buildProbeFeatureProgram(config, {
        blocks: probedBlocks(config.eval, config.model.depth),
        images,
        sizePx: config.crops.global.sizePx,
      }),
    },
    initialState: step.initialState,
  };
}
