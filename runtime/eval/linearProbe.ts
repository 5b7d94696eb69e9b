/** Linear classification of frozen features: DINO's protocol (one classifier) and DINOv2's (a grid, the best reported). */
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { randomStream, shuffled } from '../data/random.ts';
import type { LabelledFeatures } from './extractFeatures.ts';
import { inputWidth, type LinearProbeSpec, type ProbeInput } from './linearProbeStep.ts';
import type { OpenHost } from './programHost.ts';

export type LinearConfig = ResolvedConfig['eval']['linear'];

export interface ProbeClassifier extends ProbeInput {
  /** Learning rate for a batch of 256. */
  rate: number;
  top1: number;
  top5: number;
}

export interface LinearEvaluation {
  /** The best classifier of the grid by top-1. */
  best: ProbeClassifier;
  classifiers: readonly ProbeClassifier[];
  trainImages: number;
  testImages: number;
}

/** Features to train classifiers on and to classify: CLS tokens of the last `storedBlocks` blocks and a mean patch token. */
export interface LinearFeatures {
  train: LabelledFeatures;
  test: LabelledFeatures;
  storedBlocks: number;
}

/** Blocks whose CLS tokens a probe needs. */
export function probedBlocks({ linear }: { linear: LinearConfig }, depth: number): number {
  return Math.min(depth, Math.max(...gridOf(linear).inputs.map(({ blocks }) => blocks)));
}

/**
 * Trains on cached features of evaluation crops and classifies others. The features are frozen and each image has one: the published
 * protocols draw new crops every epoch.
 */
export async function evaluateLinear(
  { train, test, storedBlocks }: LinearFeatures,
  linear: LinearConfig,
  openHost: OpenHost,
): Promise<LinearEvaluation> {
  const grid = gridOf(linear);
  const width = train.width / (storedBlocks + 1);
  const batch = Math.min(linear.batchSize, train.count);
  const inputs = withinDepth(grid.inputs, storedBlocks);
  const spec: LinearProbeSpec = {
    width,
    storedBlocks,
    classes: train.classCount,
    batch,
    inputs,
    rates: grid.rates.length,
    momentum: 0.9,
    weightDecay: 0,
  };
  const host = await openHost({ kind: 'linearProbe', ...spec }, initialWeights(spec));
  try {
    const perEpoch = Math.max(1, Math.floor(train.count / batch));
    const steps = grid.epochs * (grid.mostStepsPerEpoch ? Math.min(perEpoch, grid.mostStepsPerEpoch) : perEpoch);
    let order: Uint32Array = new Uint32Array();
    for (let step = 0; step < steps; step++) {
      const place = step % perEpoch;
      if (place === 0)
        order = shuffled(train.count, randomStream({ seed: 0, purpose: 'probe', epoch: Math.floor(step / perEpoch) }));
      const { features, labels } = rowsOf(train, order, place * batch, batch);
      const progress = grid.schedule === 'perEpoch' ? Math.floor(step / perEpoch) / grid.epochs : step / steps;
      const scale = ((batch / 256) * (1 + Math.cos(Math.PI * progress))) / 2;
      const rates = Float32Array.from(grid.rates, (rate) => rate * scale);
      await host.run('train', { features, labels, rates });
      await yieldToEvents();
    }
    const found = {
      top1: new Float64Array(inputs.length * spec.rates),
      top5: new Float64Array(inputs.length * spec.rates),
    };
    const inOrder = Uint32Array.from({ length: test.count }, (_, index) => index);
    for (let start = 0; start < test.count; start += batch) {
      const rows = rowsOf(test, inOrder, start, batch);
      const counts = await host.run('predict', { ...rows });
      for (const top of ['top1', 'top5'] as const) counts[top]!.forEach((count, at) => (found[top][at]! += count));
      await yieldToEvents();
    }
    const classifiers = inputs.flatMap((input, index) =>
      grid.rates.map((rate, place): ProbeClassifier => {
        const at = index * spec.rates + place;
        return { ...input, rate, top1: found.top1[at]! / test.count, top5: found.top5[at]! / test.count };
      }),
    );
    const best = classifiers.reduce((a, b) => (b.top1 > a.top1 ? b : a));
    return { best, classifiers, trainImages: train.count, testImages: test.count };
  } finally {
    await host.close();
  }
}

interface Grid {
  inputs: ProbeInput[];
  rates: readonly number[];
  epochs: number;
  schedule: 'perEpoch' | 'perStep';
  mostStepsPerEpoch?: number;
}

/** v1: the last four blocks' CLS tokens, 100 epochs, a cosine in epochs. v2: the grid, ten epochs of at most 1,250 steps, a cosine in steps. */
function gridOf({ protocol, blocks, pooling, rates, epochs }: LinearConfig): Grid {
  switch (protocol) {
    case 'v1':
      return { inputs: [{ blocks: 4, pooling: 'cls' }], rates: [0.001], epochs: epochs ?? 100, schedule: 'perEpoch' };
    case 'v2':
      return {
        inputs: blocks.flatMap((count) => pooling.map((kind) => ({ blocks: count, pooling: kind }))),
        rates,
        epochs: epochs ?? 10,
        schedule: 'perStep',
        mostStepsPerEpoch: 1250,
      };
  }
}

/** A shallow network has fewer blocks to look at; inputs that become the same count once. */
function withinDepth(inputs: readonly ProbeInput[], storedBlocks: number): ProbeInput[] {
  const capped = inputs.map(({ blocks, pooling }) => ({ blocks: Math.min(blocks, storedBlocks), pooling }));
  return capped.filter(
    ({ blocks, pooling }, at) => capped.findIndex((one) => one.blocks === blocks && one.pooling === pooling) === at,
  );
}

/** Weights N(0, 0.01^2), the same for every rate; biases and velocities zero. */
function initialWeights({ inputs, rates, classes, width }: LinearProbeSpec): Record<string, Float32Array> {
  const weights: Record<string, Float32Array> = {};
  inputs.forEach((input, index) => {
    const stream = randomStream({ seed: 0, purpose: 'probe', image: index });
    const features = inputWidth(input, width);
    const weight = new Float32Array(features * rates * classes);
    for (let feature = 0; feature < features; feature++) {
      for (let label = 0; label < classes; label++) {
        const value = 0.01 * normal(() => stream.uniform(0, 1));
        for (let rate = 0; rate < rates; rate++) weight[(feature * rates + rate) * classes + label] = value;
      }
    }
    weights[`${index}.weight`] = weight;
  });
  return weights;
}

function normal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A batch of rows in an order; places beyond the end are rows of zeros that do not count. */
function rowsOf(
  { features_ND, labels_N, width }: LabelledFeatures,
  order: Uint32Array,
  start: number,
  batch: number,
): { features: Float32Array; labels: Float32Array; counted: Float32Array } {
  const features = new Float32Array(batch * width);
  const labels = new Float32Array(batch);
  const counted = new Float32Array(batch);
  for (let place = 0; place < batch && start + place < order.length; place++) {
    const row = order[start + place]!;
    features.set(features_ND.subarray(row * width, (row + 1) * width), place * width);
    labels[place] = labels_N[row]!;
    counted[place] = 1;
  }
  return { features, labels, counted };
}
