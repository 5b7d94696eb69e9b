/**
 * The training step of a configuration: bytes of crops and the numbers of the step in, new state and measurements out. What the update
 * does is in `studentTeacherUpdate.ts`; here are its inputs, their schedules, and the state at the start.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { codingRateBounds, codingRateShape, gammaOf } from '../configs/derive.ts';
import type { ResolvedConfig } from '../configs/schema.ts';
import { randomStream, shuffled } from './data/random.ts';
import { partSpec, takePart } from './batchParts.ts';
import type { BatchAxis } from './batchParts.ts';
import type { StepProgram, TensorSpec, Tensors } from './engines/engine.ts';
import { microBatchedStep } from './microBatches.ts';
import type { MicroBatchedStep } from './microBatches.ts';
import { batchMasks, mostMaskedPatches } from './models/blockMasks.ts';
import type { BatchMaskOptions } from './models/blockMasks.ts';
import { batchSubsetFactors, branchesPerBlock, dropPathFactors, dropPathRates } from './models/dropPath.ts';
import { normalisePixels } from './models/imageInput.ts';
import { patchSelection } from './models/network.ts';
import type { ViewStack } from './models/network.ts';
import { sumOverRanks } from './ops/sumOverRanks.ts';
import type { OwnShare } from './ops/sumOverRanks.ts';
import { biasCorrections } from './optim/adamw.ts';
import { stepSchedules } from './optim/schedules.ts';
import type { ScheduleTotals } from './optim/schedules.ts';
import {
  initialUpdateState,
  trainedParameters,
  updatedState,
  updateScalars,
  updateState,
  updateStudentAndTeacher,
} from './studentTeacherUpdate.ts';
import type { StepScalar } from './studentTeacherUpdate.ts';
import { dinoScalars, updateSettings } from './updateSettings.ts';

export interface TrainStep {
  /**
   * Inputs: `globalCrops` [G x B,H,W,3] and `localCrops` [L x B,h,w,3] (bytes, all images of a view together), the scalars,
   * `globalDropPath` / `localDropPath` where there is stochastic depth, and `maskedPatches` [G x B, places] where patches are hidden
   * (their numbers, -1 for an empty place). State and outputs: see `updateStudentAndTeacher`.
   */
  program: StepProgram;
  /** The trained tensors, in the order of the output `gradientNorms`. */
  parameterNames: readonly string[];
  /** Numbers of a step (counted from 0), in double precision. */
  scalarsAt(step: number): Record<StepScalar, number> & Record<string, number>;
  /** Everything a step takes besides its crops: the scalars, this step's stochastic depth and masks; a function of `config.seed`. */
  inputsAt(step: number): Record<string, Float32Array>;
  /** State at the start, a function of `config.seed`. */
  initialState(): Record<string, Float32Array>;
  /** The same step, so many images at a time: see microBatches.ts. */
  inMicroBatches(microBatch: number): MicroBatchedStep;
  /** What does not change from step to step. */
  constants: { gamma: number; codingRateMax: number };
}

/**
 * @param share the part of the batch that this process takes, where several take a step together. Then there is one more input, `halt`: any
 *   process sets it to 1 to ask all to stop, and one more output, `halted`, how many did: what all see after the same step.
 */
export function buildTrainStep(config: ResolvedConfig, totals: ScheduleTotals, share?: OwnShare): TrainStep {
  const { optim, train, crops, model, seed } = config;
  const settings = updateSettings(config, share);
  const schedules = stepSchedules(config, totals);
  const isSubset = model.dropPath === 'batchSubset';
  const rates = isSubset
    ? new Array<number>(model.depth).fill(model.dropPathRate)
    : dropPathRates({ depth: model.depth, rate: model.dropPathRate });
  const masks = maskOptions(config);
  const samples = { global: crops.global.count * train.batchSize, local: crops.local.count * train.batchSize };
  const state = updateState(settings);

  const scalarsAt: TrainStep['scalarsAt'] = (step) => ({
    lr: schedules.lr(step),
    weightDecay: schedules.weightDecay(step),
    momentum: schedules.momentum(step),
    ...biasCorrections(step + 1, optim),
    ...(config.dino ? dinoScalars(step, config, totals) : {}),
  });

  const program: StepProgram = { state, updates: updatedState(settings), inputs: inputSpecs(), run };

  return {
    program,
    parameterNames: trainedParameters(settings).map(({ name }) => name),
    scalarsAt,
    inputsAt: (step) => ({
      ...Object.fromEntries(Object.entries(scalarsAt(step)).map(([name, value]) => [name, Float32Array.of(value)])),
      ...ownPart({ ...dropPathAt(step), ...masksAt(step) }),
    }),
    initialState: () => {
      const stream = randomStream({ seed, purpose: 'initialisation' });
      return initialUpdateState(settings, () => stream.uniform(0, 1));
    },
    inMicroBatches: (microBatch) =>
      microBatchedStep({
        program,
        settings,
        viewsOf,
        patches: masks ? masks.rows * masks.columns : 0,
        axes: imageAxes(),
        microBatch,
      }),
    constants: { gamma: gammaOf(config), codingRateMax: codingRateBounds(codingRateShape(config)).codingRateMax },
  };

  function run(tensors: Tensors, inputs: Tensors): { state: Tensors; outputs: Tensors } {
    const updated = updateStudentAndTeacher(tensors, viewsOf(inputs), inputs as Record<string, tf.Scalar>, settings);
    const { halt } = inputs;
    return halt ? { ...updated, outputs: { ...updated.outputs, halted: sumOverRanks(halt) } } : updated;
  }

  /** What was drawn for the whole batch, for this process's images. */
  function ownPart(drawn: Record<string, Float32Array>): Record<string, Float32Array> {
    if (!share) return drawn;
    const count = train.batchSize / share.ranks;
    const [specs, axes] = [wholeSpecs(), imageAxes()];
    return Object.fromEntries(
      Object.entries(drawn).map(([name, values]) => [
        name,
        takePart(values, specs[name]!, axes[name]!, { first: share.rank * count, count }),
      ]),
    );
  }

  function viewsOf(inputs: Tensors): ViewStack[] {
    const places = inputs['maskedPatches'] as tf.Tensor2D | undefined;
    const hide = (stack: ViewStack): ViewStack =>
      places && masks
        ? {
            ...stack,
            masks: { selection_IKP: patchSelection(places, { patches: masks.rows * masks.columns }), hidden: true },
          }
        : stack;
    return [
      ...viewStack(inputs['globalCrops'], inputs['globalDropPath'], config).map(hide),
      ...viewStack(inputs['localCrops'], inputs['localDropPath'], config),
    ];
  }

  /** The inputs that hold something of each image. */
  function imageAxes(): Record<string, BatchAxis> {
    const [global, local] = [crops.global.count, crops.local.count];
    return {
      globalCrops: { axis: 0, views: global },
      globalDropPath: { axis: 2, views: global },
      maskedPatches: { axis: 0, views: global },
      ...(local > 0 ? { localCrops: { axis: 0, views: local }, localDropPath: { axis: 2, views: local } } : {}),
    };
  }

  function inputSpecs(): Record<string, TensorSpec> {
    const whole = wholeSpecs();
    if (!share) return whole;
    const axes = imageAxes();
    const own = Object.entries(whole).map(([name, spec]): [string, TensorSpec] => {
      const axis = axes[name];
      return [name, axis ? partSpec(spec, axis, { count: train.batchSize / share.ranks }) : spec];
    });
    return { ...Object.fromEntries(own), halt: { shape: [], dtype: 'float32' } };
  }

  function wholeSpecs(): Record<string, TensorSpec> {
    return {
      ...resolutionSpecs('global', crops.global.sizePx),
      ...(samples.local > 0 ? resolutionSpecs('local', crops.local.sizePx) : {}),
      ...(masks
        ? { maskedPatches: { shape: [masks.images, mostMaskedPatches(masks)], dtype: 'float32' } as const }
        : {}),
      ...Object.fromEntries(
        updateScalars(settings).map((name): [string, TensorSpec] => [name, { shape: [], dtype: 'float32' }]),
      ),
    };
  }

  function resolutionSpecs(resolution: 'global' | 'local', sizePx: number): Record<string, TensorSpec> {
    const count = samples[resolution];
    const factors: TensorSpec = { shape: [model.depth, branchesPerBlock, count], dtype: 'float32' };
    return {
      [`${resolution}Crops`]: { shape: [count, sizePx, sizePx, 3], dtype: 'uint8' },
      ...(model.dropPathRate > 0 ? { [`${resolution}DropPath`]: factors } : {}),
    };
  }

  function dropPathAt(step: number): Record<string, Float32Array> {
    if (model.dropPathRate === 0) return {};
    const stream = randomStream({ seed, purpose: 'dropPath', epoch: step });
    const factors = (count: number) =>
      isSubset
        ? batchSubsetFactors(rates, count, () => shuffled(count, stream))
        : dropPathFactors(rates, count, () => stream.uniform(0, 1));
    return {
      globalDropPath: factors(samples.global),
      ...(samples.local > 0 ? { localDropPath: factors(samples.local) } : {}),
    };
  }

  function masksAt(step: number): Record<string, Float32Array> {
    if (!masks) return {};
    const stream = randomStream({ seed, purpose: 'masks', epoch: step });
    const hidden = batchMasks(masks, stream, shuffled(masks.images, stream));
    const places = mostMaskedPatches(masks);
    const maskedPatches = new Float32Array(masks.images * places).fill(-1);
    hidden.forEach((patches, image) => maskedPatches.set(patches, image * places));
    return { maskedPatches };
  }
}

/** How patches of the global views are hidden, where the method does so. */
function maskOptions({ masking, model, crops, train }: ResolvedConfig): BatchMaskOptions | undefined {
  if (!masking) return undefined;
  const side = Math.floor(crops.global.sizePx / model.patchSizePx);
  const images = crops.global.count * train.batchSize;
  return { images, rows: side, columns: side, maskedShare: masking.share, ratio: masking.ratio };
}

/** The crops of one resolution, normalised; nothing where there are none. */
function viewStack(
  crops: tf.Tensor | undefined,
  dropPath: tf.Tensor | undefined,
  { data }: ResolvedConfig,
): ViewStack[] {
  if (!crops) return [];
  const images = normalisePixels(crops as tf.Tensor4D, data);
  return [{ images, layout: 'BHWC', ...(dropPath ? { dropPath_L2B: dropPath as tf.Tensor3D } : {}) }];
}
