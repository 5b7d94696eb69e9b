/**
 * One training step as a pure function of state and inputs, in the authors' order: the teacher as it was before the update, loss and
 * gradients, clipping tensor by tensor, AdamW, then the teacher's moving average.
 *
 * State entries are `student.NAME`, `teacher.NAME`, `adam.first.NAME` and `adam.second.NAME`, NAME as in the authors' checkpoints.
 *
 * A step whose loss or gradient is not finite changes nothing: its gradients are replaced by zeros and a scalar gate sets the
 * learning rate and the averaging rates to 0. The output `updated` says so. Selecting between old and new state would need one more
 * pass over four copies of the parameters; this needs one over the gradients.
 */
import * as tf from '@tensorflow/tfjs-core';
import { codingRateBounds, codingRateShape, gammaOf } from '../configs/derive.ts';
import type { ResolvedConfig } from '../configs/schema.ts';
import { randomStream } from './data/random.ts';
import type { StepProgram, TensorSpec, Tensors } from './engines/engine.ts';
import { losses } from './losses/index.ts';
import { dropPathFactors, dropPathRates, branchesPerBlock } from './models/dropPath.ts';
import { normalisePixels } from './models/imageInput.ts';
import { networkConfig, networkFeatures, networkParameters } from './models/network.ts';
import type { ViewStack } from './models/network.ts';
import { initialiseParameters, submodule } from './models/parameters.ts';
import type { ParameterSpec, Parameters } from './models/parameters.ts';
import { adamw, biasCorrections } from './optim/adamw.ts';
import { clipFactor, globalNorm, gradientNorm } from './optim/clip.ts';
import { ema } from './optim/ema.ts';
import { parameterGroup } from './optim/parameterGroups.ts';
import { stepSchedules } from './optim/schedules.ts';
import type { ScheduleTotals } from './optim/schedules.ts';

export type StepScalar = 'lr' | 'weightDecay' | 'momentum' | 'biasCorrection1' | 'biasCorrection2';

export interface TrainStep {
  /**
   * Inputs: `globalCrops` [G x B,H,W,3] and `localCrops` [L x B,h,w,3] (bytes, all images of a view together), the scalars, and
   * `globalDropPath` / `localDropPath` where there is stochastic depth.
   *
   * Outputs, scalars unless told: `loss`, `distance`, `codingRate`, `teacherStudentCosine`, `gradientNorm` (all tensors together,
   * before clipping), `gradientNorms` [tensors] in the order of `parameterNames`, `updated` (1, or 0 if the step was discarded), and
   * for diagnostics the unit features of the first global view, `studentFeatures` and `teacherFeatures` [B, d].
   */
  program: StepProgram;
  /** The trained tensors, in the order of `gradientNorms`. */
  parameterNames: readonly string[];
  /** Numbers of a step (counted from 0), in double precision. */
  scalarsAt(step: number): Record<StepScalar, number>;
  /** Everything a step takes besides its crops: the scalars and this step's stochastic depth. */
  inputsAt(step: number): Record<string, Float32Array>;
  /** State at the start: the teacher is a copy of the student, the moments are zero. A function of `config.seed`. */
  initialState(): Record<string, Float32Array>;
  /** What does not change from step to step. */
  constants: { gamma: number; codingRateMax: number };
}

const scalarSpec: TensorSpec = { shape: [], dtype: 'float32' };
const scalarNames = ['lr', 'weightDecay', 'momentum', 'biasCorrection1', 'biasCorrection2'] as const;

export function buildTrainStep(config: ResolvedConfig, totals: ScheduleTotals): TrainStep {
  const { optim, train, crops, seed, teacher } = config;
  const network = networkConfig(config);
  const specs = networkParameters(network);
  const gamma = gammaOf(config);
  const loss = { eps: config.loss.eps, gamma, pairs: config.loss.pairs, codingRate: config.loss.codingRate };
  const rates = dropPathRates({ depth: config.model.depth, rate: config.model.dropPathRate });
  const dropsPaths = rates.some((rate) => rate > 0);
  const samples = { global: crops.global.count * train.batchSize, local: crops.local.count * train.batchSize };
  const schedules = stepSchedules(config, totals);
  const { codingRateMax } = codingRateBounds(codingRateShape(config));

  const scalarsAt = (step: number): Record<StepScalar, number> => ({
    lr: schedules.lr(step),
    weightDecay: schedules.weightDecay(step),
    momentum: schedules.momentum(step),
    ...biasCorrections(step + 1, optim),
  });

  return {
    program: {
      state: stateSpecs(specs),
      updates: Object.keys(stateSpecs(specs)),
      inputs: inputSpecs(),
      run,
    },
    parameterNames: specs.map(({ name }) => name),
    scalarsAt,
    inputsAt: (step) => ({
      ...Object.fromEntries(Object.entries(scalarsAt(step)).map(([name, value]) => [name, Float32Array.of(value)])),
      ...dropPathAt(step),
    }),
    initialState: () => initialState(specs, seed),
    constants: { gamma, codingRateMax },
  };

  function inputSpecs(): Record<string, TensorSpec> {
    const bytes = (views: number, sizePx: number): TensorSpec => ({
      shape: [views, sizePx, sizePx, 3],
      dtype: 'uint8',
    });
    const factors = (views: number): TensorSpec => ({
      shape: [rates.length, branchesPerBlock, views],
      dtype: 'float32',
    });
    return {
      globalCrops: bytes(samples.global, crops.global.sizePx),
      ...(samples.local > 0 ? { localCrops: bytes(samples.local, crops.local.sizePx) } : {}),
      ...Object.fromEntries(scalarNames.map((name) => [name, scalarSpec])),
      ...(dropsPaths ? { globalDropPath: factors(samples.global) } : {}),
      ...(dropsPaths && samples.local > 0 ? { localDropPath: factors(samples.local) } : {}),
    };
  }

  function dropPathAt(step: number): Record<string, Float32Array> {
    if (!dropsPaths) return {};
    const stream = randomStream({ seed, purpose: 'dropPath', epoch: step });
    const random = () => stream.uniform(0, 1);
    return {
      globalDropPath: dropPathFactors(rates, samples.global, random),
      ...(samples.local > 0 ? { localDropPath: dropPathFactors(rates, samples.local, random) } : {}),
    };
  }

  function run(state: Tensors, inputs: Tensors): { state: Tensors; outputs: Tensors } {
    const views = viewStacks(inputs, config);
    const teacherParameters = submodule(state, 'teacher');
    const globalViews = views.slice(0, 1).map(({ images, layout }) => ({ images, layout }));
    const teacher_GBO = networkFeatures(teacherParameters, globalViews, network, { batch: train.batchSize });

    const student = submodule(state, 'student');
    const { terms, gradients } = differentiate(student, (parameters) => {
      const student_VBO = networkFeatures(parameters, views, network, { batch: train.batchSize });
      return { ...losses.simdino(student_VBO, teacher_GBO, loss), features_BO: firstView(student_VBO) };
    });

    const norms = specs.map(({ name }) => gradientNorm(gradients[name]!));
    const norm = globalNorm(norms);
    const gate = tf.mul(isFinite(terms.loss), isFinite(norm)) as tf.Scalar;
    const newState = update({ state, gradients, norms, gate, inputs });
    return {
      state: newState,
      outputs: {
        loss: terms.loss,
        distance: terms.distance,
        codingRate: terms.codingRate,
        teacherStudentCosine: terms.teacherStudentCosine,
        gradientNorm: norm,
        gradientNorms: tf.stack(norms),
        updated: gate,
        studentFeatures: terms.features_BO,
        teacherFeatures: firstView(teacher_GBO),
      },
    };
  }

  /** The new state: clipped AdamW for the student, then the teacher's average of it. */
  function update({ state, gradients, norms, gate, inputs }: Update): Tensors {
    const scalar = (name: StepScalar) => inputs[name] as tf.Scalar;
    const { beta1, beta2, epsilon } = optim;
    const adamScalars = {
      lr: scalar('lr'),
      biasCorrection1: scalar('biasCorrection1'),
      biasCorrection2: scalar('biasCorrection2'),
      gate,
    };
    const gatedMomentum = tf.sub(1, tf.mul(tf.sub(1, scalar('momentum')), gate)) as tf.Scalar;
    const next: Tensors = {};
    for (const [index, { name, shape }] of specs.entries()) {
      const raw = gradients[name]!;
      const clipped =
        optim.clipGradNorm > 0 ? tf.mul(raw, clipFactor(norms[index]!, { maxNorm: optim.clipGradNorm })) : raw;
      const decays = parameterGroup(name, shape) === 'decay';
      const { parameter, moments } = adamw(
        state[`student.${name}`]!,
        tf.where(tf.cast(gate, 'bool'), clipped, 0),
        { first: state[`adam.first.${name}`]!, second: state[`adam.second.${name}`]! },
        adamScalars,
        { beta1, beta2, epsilon, ...(decays ? { weightDecay: scalar('weightDecay') } : {}) },
      );
      next[`student.${name}`] = parameter;
      next[`adam.first.${name}`] = moments.first;
      next[`adam.second.${name}`] = moments.second;
      next[`teacher.${name}`] =
        teacher.update === 'student'
          ? tf.clone(parameter)
          : ema(state[`teacher.${name}`]!, parameter, { momentum: gatedMomentum });
    }
    return next;
  }
}

interface Update {
  state: Tensors;
  gradients: Parameters;
  norms: readonly tf.Scalar[];
  gate: tf.Scalar;
  inputs: Tensors;
}

/** The crops of each resolution, normalised. */
function viewStacks(inputs: Tensors, { data }: ResolvedConfig): ViewStack[] {
  const stack = (crops: string, dropPath: string): ViewStack[] => {
    const pixels = inputs[crops] as tf.Tensor4D | undefined;
    const dropPath_L2B = inputs[dropPath] as tf.Tensor3D | undefined;
    if (!pixels) return [];
    return [{ images: normalisePixels(pixels, data), layout: 'BHWC', ...(dropPath_L2B ? { dropPath_L2B } : {}) }];
  };
  return [...stack('globalCrops', 'globalDropPath'), ...stack('localCrops', 'localDropPath')];
}

function firstView(features_VBO: tf.Tensor3D): tf.Tensor2D {
  const [, batch, width] = features_VBO.shape;
  return tf.reshape(tf.slice(features_VBO, [0, 0, 0], [1, batch, width]), [batch, width]);
}

/**
 * Value and gradients of a loss by parameter name. What `forward` returns beside the loss outlives the gradient's scope;
 * whoever runs the step disposes of the outputs.
 */
function differentiate<T extends { loss: tf.Scalar } & Tensors>(
  parameters: Parameters,
  forward: (parameters: Parameters) => T,
): { terms: T; gradients: Parameters } {
  const names = Object.keys(parameters);
  let terms: T | undefined;
  const { grads } = tf.engine().gradients(() => {
    terms = forward(parameters);
    for (const tensor of Object.values(terms)) tf.keep(tensor);
    return terms.loss;
  }, Object.values(parameters));
  return { terms: terms!, gradients: Object.fromEntries(names.map((name, index) => [name, grads[index]!])) };
}

/** 1 if the number is finite, else 0. */
function isFinite(x: tf.Scalar): tf.Scalar {
  return tf.cast(tf.less(tf.abs(x), 3e38), 'float32') as tf.Scalar;
}

function stateSpecs(specs: readonly ParameterSpec[]): Record<string, TensorSpec> {
  const copies = ['student', 'teacher', 'adam.first', 'adam.second'];
  return Object.fromEntries(
    copies.flatMap((copy) => specs.map(({ name, shape }) => [`${copy}.${name}`, { shape, dtype: 'float32' }] as const)),
  );
}

function initialState(specs: readonly ParameterSpec[], seed: number): Record<string, Float32Array> {
  const stream = randomStream({ seed, purpose: 'initialisation' });
  const values = initialiseParameters(specs, () => stream.uniform(0, 1));
  const copies = [...values].flatMap(([name, data]) => [
    [`student.${name}`, data] as const,
    [`teacher.${name}`, data.slice()] as const,
    [`adam.first.${name}`, new Float32Array(data.length)] as const,
    [`adam.second.${name}`, new Float32Array(data.length)] as const,
  ]);
  return Object.fromEntries(copies);
}
