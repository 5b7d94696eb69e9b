/**
 * A grid of linear classifiers on frozen features, trained at once: every combination of blocks, pooling and learning rate sees the same
 * batches. The classifiers of one combination of blocks and pooling differ by their rate alone, so their logits are one product.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { StepProgram, TensorSpec, Tensors } from '../engines/engine.ts';
import type { ProgramSet } from '../engines/executor/programSet.ts';

/** What a classifier sees: the CLS tokens of the last `blocks` blocks, and with `clsAndMean` the mean of the last one's patches. */
export interface ProbeInput {
  blocks: number;
  pooling: 'cls' | 'clsAndMean';
}

export interface LinearProbeSpec {
  /** Width D of a token. */
  width: number;
  /** Blocks whose CLS tokens the features hold, earliest first; behind them the mean patch token of the last one. */
  storedBlocks: number;
  classes: number;
  /** Images of a training step, and of a prediction. */
  batch: number;
  inputs: readonly ProbeInput[];
  /** Classifiers per input. */
  rates: number;
  momentum: number;
  weightDecay: number;
}

/**
 * Programs over the state `INPUT.weight` [F, R x C], `INPUT.bias` [R x C] and their velocities, INPUT counting `spec.inputs`:
 *
 * - `train`: inputs `features` [B, (n + 1) D], `labels` [B] and `rates` [R] to output `losses` [inputs, R] (before the step). SGD with
 *   momentum as in torch: `v <- m v + g + wd w; w <- w - lr v`.
 * - `predict`: inputs `features`, `labels` and `counted` [B] (0 leaves a row out) to outputs `top1` and `top5` [inputs, R]: how many rows
 *   had their class first, or among the first five. Of equal logits the lower class comes first.
 */
export function buildLinearProbePrograms(spec: LinearProbeSpec): ProgramSet {
  const { batch, rates, classes, width, storedBlocks } = spec;
  const state: Record<string, TensorSpec> = {};
  spec.inputs.forEach((input, index) => {
    const weight: TensorSpec = { shape: [inputWidth(input, width), rates * classes], dtype: 'float32' };
    const bias: TensorSpec = { shape: [rates * classes], dtype: 'float32' };
    state[`${index}.weight`] = weight;
    state[`${index}.bias`] = bias;
    state[`${index}.weightVelocity`] = weight;
    state[`${index}.biasVelocity`] = bias;
  });
  const features: TensorSpec = { shape: [batch, (storedBlocks + 1) * width], dtype: 'float32' };
  const labels: TensorSpec = { shape: [batch], dtype: 'float32' };
  const train: StepProgram = {
    state,
    updates: Object.keys(state),
    inputs: { features, labels, rates: { shape: [rates], dtype: 'float32' } },
    run: (tensors, inputs) => trainStep(tensors, inputs, spec),
  };
  const predict: StepProgram = {
    state: Object.fromEntries(Object.entries(state).filter(([name]) => !name.endsWith('Velocity'))),
    updates: [],
    inputs: { features, labels, counted: { shape: [batch], dtype: 'float32' } },
    run: (tensors, inputs) => predictStep(tensors, inputs, spec),
  };
  return { state, programs: { train, predict } };
}

/** Features of an input. */
export function inputWidth({ blocks, pooling }: ProbeInput, width: number): number {
  return (blocks + (pooling === 'clsAndMean' ? 1 : 0)) * width;
}

/**
 * The columns of stored features that an input sees: [CLS of the n-th last block, ..., CLS of the last, mean patch].
 *
 * @param features_BF [B, (storedBlocks + 1) D]
 */
export function probeInput(
  features_BF: tf.Tensor2D,
  { blocks, pooling }: ProbeInput,
  { storedBlocks, width }: Pick<LinearProbeSpec, 'storedBlocks' | 'width'>,
): tf.Tensor2D {
  const first = (storedBlocks - blocks) * width;
  const last = pooling === 'clsAndMean' ? storedBlocks + 1 : storedBlocks;
  return tf.slice(features_BF, [0, first], [features_BF.shape[0], last * width - first]);
}

function trainStep(tensors: Tensors, inputs: Tensors, spec: LinearProbeSpec): { state: Tensors; outputs: Tensors } {
  const { batch, rates, classes, momentum, weightDecay } = spec;
  const target_B1C = tf.reshape(oneHot(inputs['labels'] as tf.Tensor1D, classes), [batch, 1, classes]);
  const rate_RC = tf.reshape(tf.mul(tf.reshape(inputs['rates']!, [rates, 1]), tf.ones([rates, classes])), [
    rates * classes,
  ]);
  const state: Tensors = {};
  const losses: tf.Tensor[] = [];
  spec.inputs.forEach((input, index) => {
    const x_BF = probeInput(inputs['features'] as tf.Tensor2D, input, spec);
    const named = (name: string) => tensors[`${index}.${name}`]!;
    const logits_BRC = tf.reshape(logits(x_BF, named('weight'), named('bias')), [batch, rates, classes]);
    const logProbabilities_BRC = tf.logSoftmax(logits_BRC);
    losses.push(tf.neg(tf.mean(tf.sum(tf.mul(logProbabilities_BRC, target_B1C), -1), 0)));
    // d loss / d logits = (p - target) / B
    const gradient_BY = tf.reshape(tf.div(tf.sub(tf.exp(logProbabilities_BRC), target_B1C), batch), [
      batch,
      rates * classes,
    ]);
    const gradients = {
      weight: tf.matMul<tf.Tensor>(x_BF, gradient_BY, true, false),
      bias: tf.sum(gradient_BY, 0),
    };
    for (const [name, gradient] of Object.entries(gradients)) {
      const decayed = weightDecay > 0 ? tf.add(gradient, tf.mul(named(name), weightDecay)) : gradient;
      const velocity = tf.add(tf.mul(named(`${name}Velocity`), momentum), decayed);
      state[`${index}.${name}Velocity`] = velocity;
      state[`${index}.${name}`] = tf.sub(named(name), tf.mul(velocity, rate_RC));
    }
  });
  return { state, outputs: { losses: tf.stack(losses) } };
}

function predictStep(tensors: Tensors, inputs: Tensors, spec: LinearProbeSpec): { state: Tensors; outputs: Tensors } {
  const { batch, rates, classes } = spec;
  const labels_B = inputs['labels'] as tf.Tensor1D;
  const target_B1C = tf.reshape(oneHot(labels_B, classes), [batch, 1, classes]);
  const numbers_11C = tf.reshape(tf.range(0, classes, 1, 'float32'), [1, 1, classes]);
  const earlier_B1C = tf.cast(tf.less(numbers_11C, tf.reshape(labels_B, [batch, 1, 1])), 'float32');
  const counted_B1 = tf.reshape(inputs['counted']!, [batch, 1]);
  const top = { top1: [] as tf.Tensor[], top5: [] as tf.Tensor[] };
  spec.inputs.forEach((input, index) => {
    const x_BF = probeInput(inputs['features'] as tf.Tensor2D, input, spec);
    const logits_BRC = tf.reshape(logits(x_BF, tensors[`${index}.weight`]!, tensors[`${index}.bias`]!), [
      batch,
      rates,
      classes,
    ]);
    const own_BR1 = tf.sum(tf.mul(logits_BRC, target_B1C), -1, true);
    const isHigher = tf.cast(tf.greater(logits_BRC, own_BR1), 'float32');
    const isEqual = tf.mul(tf.cast(tf.equal(logits_BRC, own_BR1), 'float32'), earlier_B1C);
    const before_BR = tf.sum(tf.add(isHigher, isEqual), -1);
    const within = (places: number) => tf.sum(tf.mul(tf.cast(tf.less(before_BR, places), 'float32'), counted_B1), 0);
    top.top1.push(within(1));
    top.top5.push(within(5));
  });
  return { state: {}, outputs: { top1: tf.stack(top.top1), top5: tf.stack(top.top5) } };
}

function logits(x_BF: tf.Tensor2D, weight_FY: tf.Tensor, bias_Y: tf.Tensor): tf.Tensor {
  return tf.add(tf.matMul(x_BF, weight_FY as tf.Tensor2D), bias_Y);
}

function oneHot(labels_B: tf.Tensor1D, classes: number): tf.Tensor2D {
  const numbers_1C = tf.reshape(tf.range(0, classes, 1, 'float32'), [1, classes]);
  return tf.cast(tf.equal(tf.reshape(labels_B, [labels_B.shape[0], 1]), numbers_1C), 'float32');
}
