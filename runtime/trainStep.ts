/**
 * The training step of a configuration: bytes of crops and the numbers of the step in, new state and measurements out. What the update
 * does is in `studentTeacherUpdate.ts`; here are its inputs, their schedules, and the state at the start.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { codingRateBounds, codingRateShape, gammaOf } from '../configs/derive.ts';
import type { ResolvedConfig } from '../configs/schema.ts';
import { randomStream } from './data/random.ts';
import type { StepProgram, TensorSpec, Tensors } from './engines/engine.ts';
import { dinoSection, objectives } from './losses/index.ts';
import { branchesPerBlock, dropPathFactors, dropPathRates } from './models/dropPath.ts';
import { normalisePixels } from './models/imageInput.ts';
import { networkConfig } from './models/network.ts';
import type { ViewStack } from './models/network.ts';
import { biasCorrections } from './optim/adamw.ts';
import { uniformRules } from './optim/parameterGroups.ts';
import { stepSchedules, teacherTemperature } from './optim/schedules.ts';
import type { ScheduleTotals } from './optim/schedules.ts';
import {
  initialUpdateState,
  trainedParameters,
  updatedState,
  updateScalars,
  updateState,
  updateStudentAndTeacher,
} from './studentTeacherUpdate.ts';
import type { StepScalar, UpdateSettings } from './studentTeacherUpdate.ts';

export interface TrainStep {
  /**
   * Inputs: `globalCrops` [G x B,H,W,3] and `localCrops` [L x B,h,w,3] (bytes, all images of a view together), the scalars, and
   * `globalDropPath` / `localDropPath` where there is stochastic depth. State and outputs: see `updateStudentAndTeacher`.
   */
  program: StepProgram;
  /** The trained tensors, in the order of the output `gradientNorms`. */
  parameterNames: readonly string[];
  /** Numbers of a step (counted from 0), in double precision. */
  scalarsAt(step: number): Record<StepScalar, number> & Record<string, number>;
  /** Everything a step takes besides its crops: the scalars and this step's stochastic depth, a function of `config.seed`. */
  inputsAt(step: number): Record<string, Float32Array>;
  /** State at the start, a function of `config.seed`. */
  initialState(): Record<string, Float32Array>;
  /** What does not change from step to step. */
  constants: { gamma: number; codingRateMax: number };
}

export function buildTrainStep(config: ResolvedConfig, totals: ScheduleTotals): TrainStep {
  const { optim, train, crops, model, seed } = config;
  const settings = updateSettings(config);
  const schedules = stepSchedules(config, totals);
  const rates = dropPathRates({ depth: model.depth, rate: model.dropPathRate });
  const samples = { global: crops.global.count * train.batchSize, local: crops.local.count * train.batchSize };
  const state = updateState(settings);

  const scalarsAt: TrainStep['scalarsAt'] = (step) => ({
    lr: schedules.lr(step),
    weightDecay: schedules.weightDecay(step),
    momentum: schedules.momentum(step),
    ...biasCorrections(step + 1, optim),
    ...(config.method === 'dino' ? dinoScalars(step, config, totals) : {}),
  });

  return {
    program: { state, updates: updatedState(settings), inputs: inputSpecs(), run },
    parameterNames: trainedParameters(settings).map(({ name }) => name),
    scalarsAt,
    inputsAt: (step) => ({
      ...Object.fromEntries(Object.entries(scalarsAt(step)).map(([name, value]) => [name, Float32Array.of(value)])),
      ...dropPathAt(step),
    }),
    initialState: () => {
      const stream = randomStream({ seed, purpose: 'initialisation' });
      return initialUpdateState(settings, () => stream.uniform(0, 1));
    },
    constants: { gamma: gammaOf(config), codingRateMax: codingRateBounds(codingRateShape(config)).codingRateMax },
  };

  function run(tensors: Tensors, inputs: Tensors): { state: Tensors; outputs: Tensors } {
    const views = [
      ...viewStack(inputs['globalCrops'], inputs['globalDropPath'], config),
      ...viewStack(inputs['localCrops'], inputs['localDropPath'], config),
    ];
    return updateStudentAndTeacher(tensors, views, inputs as Record<string, tf.Scalar>, settings);
  }

  function inputSpecs(): Record<string, TensorSpec> {
    return {
      ...resolutionSpecs('global', crops.global.sizePx),
      ...(samples.local > 0 ? resolutionSpecs('local', crops.local.sizePx) : {}),
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
    const random = () => stream.uniform(0, 1);
    return {
      globalDropPath: dropPathFactors(rates, samples.global, random),
      ...(samples.local > 0 ? { localDropPath: dropPathFactors(rates, samples.local, random) } : {}),
    };
  }
}

function updateSettings(config: ResolvedConfig): UpdateSettings {
  const { optim, teacher, train } = config;
  return {
    network: networkConfig(config),
    objective: objectives[config.method](config),
    adam: { beta1: optim.beta1, beta2: optim.beta2, epsilon: optim.epsilon },
    clipGradNorm: optim.clipGradNorm,
    clipBy: 'tensor',
    rules: uniformRules,
    teacherUpdate: teacher.update,
    batch: train.batchSize,
    ...(config.method === 'dino' ? dinoPrototypes(config) : {}),
  };
}

/** The prototypes are trained from a later step on, their norms perhaps never. */
function dinoPrototypes(config: ResolvedConfig): Pick<UpdateSettings, 'frozen' | 'delayed'> {
  const [direction, magnitude] = ['head.last_layer.weight_v', 'head.last_layer.weight_g'];
  return dinoSection(config).prototypeNorm === 'fixed'
    ? { frozen: new Set([magnitude]), delayed: new Set([direction]) }
    : { delayed: new Set([direction, magnitude]) };
}

/** The teacher's temperature, and the prototypes' own count of updates. */
function dinoScalars(step: number, config: ResolvedConfig, { stepsPerEpoch }: ScheduleTotals): Record<string, number> {
  const dino = dinoSection(config);
  const delay = Math.round(dino.freezePrototypesEpochs * stepsPerEpoch);
  const { biasCorrection1, biasCorrection2 } = biasCorrections(Math.max(1, step + 1 - delay), config.optim);
  return {
    teacherTemperature: teacherTemperature(Math.floor(step / stepsPerEpoch), {
      warmup: dino.teacherTemperatureStart,
      final: dino.teacherTemperature,
      warmupEpochs: dino.teacherTemperatureWarmupEpochs,
    }),
    delayedGate: step < delay ? 0 : 1,
    delayedBiasCorrection1: biasCorrection1,
    delayedBiasCorrection2: biasCorrection2,
  };
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
