/**
 * One update of student and teacher as a pure function, in the authors' order: the teacher as it was before the update, loss and
 * gradients, clipping tensor by tensor, AdamW, then the teacher's moving average.
 *
 * State entries are `student.NAME`, `teacher.NAME`, `adam.first.NAME` and `adam.second.NAME`, NAME as in the authors' checkpoints.
 *
 * An update whose loss or gradient is not finite changes nothing: its gradients are replaced by zeros and a scalar gate sets the
 * learning rate and the averaging rates to 0. Selecting between old and new state would need one more pass over four copies of the
 * parameters; this needs one over the gradients.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { TensorSpec, Tensors } from './engines/engine.ts';
import { losses } from './losses/index.ts';
import type { SimdinoOptions } from './losses/simdino.ts';
import { networkFeatures, networkParameters } from './models/network.ts';
import type { NetworkConfig, ViewStack } from './models/network.ts';
import { initialiseParameters, submodule } from './models/parameters.ts';
import type { ParameterSpec, Parameters, Random } from './models/parameters.ts';
import { adamw } from './optim/adamw.ts';
import type { AdamOptions } from './optim/adamw.ts';
import { clipFactor, globalNorm, gradientNorm } from './optim/clip.ts';
import { ema } from './optim/ema.ts';
import { parameterGroup } from './optim/parameterGroups.ts';

/** What the update is made of; constant over a run. */
export interface UpdateSettings {
  network: NetworkConfig;
  loss: SimdinoOptions;
  adam: AdamOptions;
  /** Largest norm of each tensor's gradient; 0: no clipping. */
  clipGradNorm: number;
  /** `student` copies the student after every update (no self-distillation). */
  teacherUpdate: 'ema' | 'student';
  /** Images B of a step. */
  batch: number;
}

export const stepScalars = ['lr', 'weightDecay', 'momentum', 'biasCorrection1', 'biasCorrection2'] as const;
export type StepScalar = (typeof stepScalars)[number];

/**
 * @param views one stack per resolution, the global views first; the teacher sees the first stack without stochastic depth
 * @returns the new state, and as outputs, scalars unless told: `loss`, `distance`, `codingRate`, `teacherStudentCosine`, `gradientNorm`
 *   (all tensors together, before clipping), `gradientNorms` [tensors] in the order of `networkParameters`, `updated` (1, or 0 if the
 *   update was discarded), and the unit features of the first global view, `studentFeatures` and `teacherFeatures` [B, d]
 */
export function updateStudentAndTeacher(
  state: Tensors,
  views: readonly ViewStack[],
  scalars: Record<StepScalar, tf.Scalar>,
  settings: UpdateSettings,
): { state: Tensors; outputs: Tensors } {
  const { network, batch } = settings;
  const globalViews = views.slice(0, 1).map(({ images, layout }) => ({ images, layout }));
  const teacher_GBO = networkFeatures(submodule(state, 'teacher'), globalViews, network, { batch });

  const { terms, gradients } = differentiate(submodule(state, 'student'), (student) => {
    const student_VBO = networkFeatures(student, views, network, { batch });
    return { ...losses.simdino(student_VBO, teacher_GBO, settings.loss), features_BO: firstView(student_VBO) };
  });

  const specs = networkParameters(network);
  const norms = specs.map(({ name }) => gradientNorm(gradients[name]!));
  const norm = globalNorm(norms);
  const gate = tf.mul<tf.Scalar>(isFinite(terms.loss), isFinite(norm));
  return {
    state: newState({ state, gradients, norms, gate, scalars, specs, settings }),
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

/** The state that the update reads and replaces. */
export function updateState(network: NetworkConfig): Record<string, TensorSpec> {
  const specs = networkParameters(network);
  return Object.fromEntries(
    ['student', 'teacher', 'adam.first', 'adam.second'].flatMap((copy) =>
      specs.map(({ name, shape }): [string, TensorSpec] => [`${copy}.${name}`, { shape, dtype: 'float32' }]),
    ),
  );
}

/** State at the start of training: the teacher is a copy of the student, the moments are zero. */
export function initialUpdateState(network: NetworkConfig, random: Random): Record<string, Float32Array> {
  const values = initialiseParameters(networkParameters(network), random);
  const copies = [...values].flatMap(([name, data]): [string, Float32Array][] => [
    [`student.${name}`, data],
    [`teacher.${name}`, data.slice()],
    [`adam.first.${name}`, new Float32Array(data.length)],
    [`adam.second.${name}`, new Float32Array(data.length)],
  ]);
  return Object.fromEntries(copies);
}

interface Update {
  state: Tensors;
  gradients: Parameters;
  norms: readonly tf.Scalar[];
  /** 1 to update, 0 to leave everything as it was. */
  gate: tf.Scalar;
  scalars: Record<StepScalar, tf.Scalar>;
  specs: readonly ParameterSpec[];
  settings: UpdateSettings;
}

/** Clipped AdamW for the student, then the teacher's average of it. */
function newState({ state, gradients, norms, gate, scalars, specs, settings }: Update): Tensors {
  const { lr, biasCorrection1, biasCorrection2, weightDecay } = scalars;
  const momentum = tf.sub<tf.Scalar>(1, tf.mul(tf.sub(1, scalars.momentum), gate));
  const isUpdated = tf.cast(gate, 'bool');
  const next: Tensors = {};
  for (const [index, { name, shape }] of specs.entries()) {
    const clipped = clip(gradients[name]!, norms[index]!, settings);
    const { parameter, moments } = adamw(
      state[`student.${name}`]!,
      tf.where(isUpdated, clipped, 0),
      { first: state[`adam.first.${name}`]!, second: state[`adam.second.${name}`]! },
      { lr, biasCorrection1, biasCorrection2, gate },
      { ...settings.adam, ...(parameterGroup(name, shape) === 'decay' ? { weightDecay } : {}) },
    );
    next[`student.${name}`] = parameter;
    next[`adam.first.${name}`] = moments.first;
    next[`adam.second.${name}`] = moments.second;
    next[`teacher.${name}`] =
      settings.teacherUpdate === 'student'
        ? tf.clone(parameter)
        : ema(state[`teacher.${name}`]!, parameter, { momentum });
  }
  return next;
}

function clip(gradient: tf.Tensor, norm: tf.Scalar, { clipGradNorm }: UpdateSettings): tf.Tensor {
  return clipGradNorm > 0 ? tf.mul(gradient, clipFactor(norm, { maxNorm: clipGradNorm })) : gradient;
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
  return tf.cast<tf.Scalar>(tf.less(tf.abs(x), 3e38), 'float32');
}
