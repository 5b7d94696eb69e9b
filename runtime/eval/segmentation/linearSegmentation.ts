/**
 * Semantic segmentation by one linear layer on frozen patch tokens (iBOT's protocol): tokens of four blocks side by side, a score per
 * class, enlarged bilinearly, cross-entropy over the pixels that are labelled.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Engine, StepProgram, TensorSpec, Tensors } from '../../engines/engine.ts';
import type { ProgramSet } from '../../engines/executor/programSet.ts';
import { hostInProcess } from '../programHost.ts';
import type { PatchGrid } from '../maskCut/maskCut.ts';

/** Pixels of this class do not count. */
export const ignoredClass = 255;

/** A square window of an image: its features, and the classes of a grid of its pixels. */
export interface LabelledWindow {
  /** [patches, width] */
  features: Float32Array;
  /** [labelSide, labelSide], row-major. */
  labels: Uint8Array;
}

export interface SegmentationOptions {
  grid: PatchGrid;
  width: number;
  classes: number;
  labelSide: number;
  /** Windows of a step. */
  batch: number;
  steps: number;
  /** Of AdamW, after a linear warm-up over the first hundredth, falling linearly to 0. */
  rate: number;
  weightDecay: number;
}

/** Class scores of a window's patches, [patches, classes]. */
export type SegmentWindow = (features: Float32Array) => Promise<Float32Array>;

/** Trains the layer; calls `onStep` with the loss. */
export async function trainSegmentation(
  windows: readonly LabelledWindow[],
  options: SegmentationOptions,
  engine: Engine,
  random: () => number,
): Promise<{ segment: SegmentWindow; lastLoss: number; close: () => Promise<void> }> {
  const { grid, width, classes, labelSide, batch, steps, rate } = options;
  const patches = grid.rows * grid.columns;
  const programs = buildSegmentationPrograms(options);
  const weight = Float32Array.from({ length: width * classes }, () => 0.01 * normal(random));
  const host = hostInProcess(engine, programs, { weight });
  let lastLoss = NaN;
  for (let step = 0; step < steps; step++) {
    const features = new Float32Array(batch * patches * width);
    const labels = new Float32Array(batch * labelSide * labelSide);
    for (let place = 0; place < batch; place++) {
      const window = windows[Math.floor(random() * windows.length) % windows.length]!;
      features.set(window.features, place * patches * width);
      labels.set(window.labels, place * labelSide * labelSide);
    }
    const warmup = Math.max(1, Math.round(steps / 100));
    const now = rate * Math.min((step + 1) / warmup, 1 - step / steps);
    const { loss } = await host.run('train', {
      features,
      labels,
      rate: Float32Array.of(now),
      correction1: Float32Array.of(1 - 0.9 ** (step + 1)),
      correction2: Float32Array.of(1 - 0.999 ** (step + 1)),
    });
    lastLoss = loss![0]!;
  }
  return {
    segment: async (features) => (await host.run('predict', { features }))['scores'] as Float32Array,
    lastLoss,
    close: () => host.close(),
  };
}

/** `train` takes one AdamW step; `predict` gives scores of patches. */
export function buildSegmentationPrograms({
  grid,
  width,
  classes,
  labelSide,
  batch,
  weightDecay,
}: SegmentationOptions): ProgramSet {
  const patches = grid.rows * grid.columns;
  const shapes = { weight: [width, classes], bias: [classes] };
  const state: Record<string, TensorSpec> = {};
  for (const [name, shape] of Object.entries(shapes))
    for (const entry of [name, `${name}.first`, `${name}.second`]) state[entry] = { shape, dtype: 'float32' };
  const scalar: TensorSpec = { shape: [], dtype: 'float32' };
  const rowsUp = enlarging(labelSide, grid.rows);
  const columnsUp = enlarging(labelSide, grid.columns);

  const train: StepProgram = {
    state,
    updates: Object.keys(state),
    inputs: {
      features: { shape: [batch, patches, width], dtype: 'float32' },
      labels: { shape: [batch, labelSide, labelSide], dtype: 'float32' },
      rate: scalar,
      correction1: scalar,
      correction2: scalar,
    },
    run: (tensors, inputs) => {
      const x_RF: tf.Tensor2D = tf.reshape(inputs['features']!, [batch * patches, width]);
      const scores_RC = tf.add(tf.matMul(x_RF, tensors['weight'] as tf.Tensor2D), tensors['bias']!);
      const [up, across] = [
        tf.tensor2d(rowsUp, [labelSide, grid.rows]),
        tf.tensor2d(columnsUp, [labelSide, grid.columns]),
      ];
      const tall = tf.matMul(
        tf.tile(tf.reshape(up, [1, labelSide, grid.rows]), [batch, 1, 1]),
        tf.reshape(scores_RC, [batch, grid.rows, grid.columns * classes]),
      );
      const lines = batch * labelSide;
      const acrossLines = tf.tile(tf.reshape(across, [1, labelSide, grid.columns]), [lines, 1, 1]);
      const pixels = tf.matMul(acrossLines, tf.reshape(tall, [lines, grid.columns, classes]));
      const labels = tf.reshape(inputs['labels']!, [lines, labelSide, 1]);
      const target = tf.cast(
        tf.equal(labels, tf.reshape(tf.range(0, classes, 1, 'float32'), [1, 1, classes])),
        'float32',
      );
      const counted = tf.cast(tf.notEqual(labels, ignoredClass), 'float32');
      const count = tf.maximum(tf.sum(counted), 1);
      const logProbabilities = tf.logSoftmax(pixels);
      const loss = tf.neg(tf.div(tf.sum(tf.mul(logProbabilities, target)), count));
      // Back through the two enlargements, which are linear.
      const gradient = tf.div<tf.Tensor3D>(tf.mul(tf.sub(tf.exp(logProbabilities), target), counted), count);
      const narrow = tf.matMul(acrossLines, gradient, true, false);
      const small = tf.matMul(
        tf.tile(tf.reshape(up, [1, labelSide, grid.rows]), [batch, 1, 1]),
        tf.reshape(narrow, [batch, labelSide, grid.columns * classes]),
        true,
        false,
      );
      const gradient_RC: tf.Tensor2D = tf.reshape(small, [batch * patches, classes]);
      const gradients = { weight: tf.matMul(x_RF, gradient_RC, true, false), bias: tf.sum(gradient_RC, 0) };
      const next: Tensors = {};
      for (const [name, slope] of Object.entries(gradients)) {
        const first = tf.add(tf.mul(tensors[`${name}.first`]!, 0.9), tf.mul(slope, 0.1));
        const second = tf.add(tf.mul(tensors[`${name}.second`]!, 0.999), tf.mul(tf.square(slope), 0.001));
        const step = tf.div(
          tf.div(first, inputs['correction1']!),
          tf.add(tf.sqrt(tf.div(second, inputs['correction2']!)), 1e-8),
        );
        const decayed = tf.mul(tensors[name]!, tf.sub(1, tf.mul(inputs['rate']!, weightDecay)));
        next[name] = tf.sub(decayed, tf.mul(step, inputs['rate']!));
        next[`${name}.first`] = first;
        next[`${name}.second`] = second;
      }
      return { state: next, outputs: { loss } };
    },
  };
  const predict: StepProgram = {
    state: { weight: state['weight']!, bias: state['bias']! },
    updates: [],
    inputs: { features: { shape: [patches, width], dtype: 'float32' } },
    run: (tensors, inputs) => ({
      state: {},
      outputs: {
        scores: tf.add(
          tf.matMul(inputs['features'] as tf.Tensor2D, tensors['weight'] as tf.Tensor2D),
          tensors['bias']!,
        ),
      },
    }),
  };
  return { state, programs: { train, predict } };
}

/** Bilinear enlargement with half-pixel centres as a matrix, row-major [target, source]. */
function enlarging(target: number, source: number): number[] {
  return Array.from({ length: target }, (_, to) => {
    const place = Math.min(source - 1, Math.max(0, ((to + 0.5) * source) / target - 0.5));
    const first = Math.floor(place);
    const share = place - first;
    return Array.from({ length: source }, (_unused, from) =>
      from === first ? 1 - share : from === first + 1 ? share : 0,
    );
  }).flat();
}

function normal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

export interface SegmentationFigures {
  /** Mean over classes that occur of intersection over union, and of the share of pixels found. */
  meanIou: number;
  meanAccuracy: number;
  pixelAccuracy: number;
  /** Per class; NaN where it occurs neither in truth nor prediction. */
  iou: number[];
}

/** Figures of a confusion matrix, row-major [truth, prediction]. */
export function segmentationFigures(confusion: ArrayLike<number>, classes: number): SegmentationFigures {
  const at = (truth: number, prediction: number) => confusion[truth * classes + prediction]!;
  const all = Array.from({ length: classes }, (_, index) => index);
  const truth = all.map((row) => all.reduce((sum, column) => sum + at(row, column), 0));
  const prediction = all.map((column) => all.reduce((sum, row) => sum + at(row, column), 0));
  const iou = all.map((index) => at(index, index) / (truth[index]! + prediction[index]! - at(index, index)));
  const accuracy = all.map((index) => at(index, index) / truth[index]!);
  const mean = (values: readonly number[]) => {
    const known = values.filter((value) => !Number.isNaN(value));
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  const total = truth.reduce((sum, value) => sum + value, 0);
  return {
    meanIou: mean(iou),
    meanAccuracy: mean(accuracy),
    pixelAccuracy: all.reduce((sum, index) => sum + at(index, index), 0) / total,
    iou,
  };
}
