/** Features of a split's images: the teacher's, or the raw pixels as the figure to beat. */
import type { ResolvedConfig } from '../../configs/schema.ts';
import { errors } from '../../protocol/errors.ts';
import type { Split } from '../data/dataset.ts';
import { subsetSplit } from '../data/datasets/subset.ts';
import { evaluationBatches } from '../data/evaluationBatches.ts';
import { randomStream, shuffled } from '../data/random.ts';

export interface LabelledFeatures {
  /** [N, width], row-major, not normalised. */
  features_ND: Float32Array;
  labels_N: Int32Array;
  count: number;
  width: number;
  classCount: number;
}

/** Maps images [count,H,W,3] (bytes) to [count, width]. */
export type FeatureExtractor = (pixels: Uint8Array, count: number) => Promise<Float32Array> | Float32Array;

/** What an evaluation wants of a split. */
export interface FeatureRequest {
  /** The first so many of a seeded shuffle; undefined: all. */
  images: number | undefined;
  /** Where its part of an extracted row begins and ends; the whole row unless told. */
  columns?: readonly [start: number, end: number];
}

/**
 * The pixels as the network gets them: normalised by channel, which for cosines is a stronger baseline than bytes; of
 * grey images one of the three equal channels, which leaves every cosine as it is.
 */
export function rawPixels(
  { channels }: { channels: 1 | 3 },
  { mean, std }: { mean: readonly number[]; std: readonly number[] },
): FeatureExtractor {
  return (pixels) =>
    Float32Array.from({ length: (pixels.length / 3) * channels }, (_, at) => {
      const channel = channels === 1 ? 0 : at % 3;
      return (pixels[channels === 1 ? at * 3 : at]! / 255 - mean[channel]!) / std[channel]!;
    });
}

/**
 * Extracts features of a split for all evaluations that want some, each image once. A sample is the first of a seeded shuffle, since
 * files lie sorted by class and the first of a split would be of one class; a smaller sample is part of a larger one.
 *
 * @param source.batchSize images that `extract` gets at a time, at most
 * @returns the features of each request, in the order of the split
 * @throws labelsMissing
 */
export async function extractFeatures(
  split: Split,
  config: Pick<ResolvedConfig, 'crops' | 'eval' | 'runtime'>,
  { extract, batchSize }: { extract: FeatureExtractor; batchSize: number },
  requests: readonly FeatureRequest[],
): Promise<LabelledFeatures[]> {
  const { classes } = split;
  if (classes === null) throw errors.labelsMissing(split.path);
  const sizes = requests.map(({ images = split.size }) => Math.min(images, split.size));
  const order = Math.min(...sizes) < split.size ? evaluationOrder(split.size) : null;
  const sampled = order && Math.max(...sizes) < split.size ? order.slice(0, Math.max(...sizes)).sort() : null;
  const takers = requests.map(({ columns }, index) => ({
    columns,
    wanted: order && sizes[index]! < split.size ? new Set(order.subarray(0, sizes[index])) : null,
    rows: [] as Float32Array[],
    labels: [] as number[],
  }));
  const cropPx = config.crops.global.sizePx;
  for await (const { pixels, size, images, labels } of evaluationBatches(
    sampled ? subsetSplit(split.name, split, sampled) : split,
    {
      resizePx: config.eval.resizePx ?? Math.round((cropPx * 256) / 224),
      cropPx,
      batchSize,
      workers: config.runtime.dataWorkers,
    },
  )) {
    const extracted_BF = await extract(pixels, size);
    const width = extracted_BF.length / size;
    for (const { columns: [start, end] = [0, width], wanted, rows, labels: own } of takers) {
      for (let place = 0; place < size; place++) {
        if (wanted && !wanted.has(sampled ? sampled[images[place]!]! : images[place]!)) continue;
        rows.push(extracted_BF.slice(place * width + start, place * width + end));
        own.push(labels![place]!);
      }
    }
  }
  return takers.map(({ rows, labels }) => {
    const width = rows[0]?.length ?? 0;
    const features_ND = new Float32Array(rows.length * width);
    rows.forEach((row, at) => features_ND.set(row, at * width));
    return { features_ND, labels_N: Int32Array.from(labels), count: rows.length, width, classCount: classes.length };
  });
}

/** The same for every run, whatever its seed, so that accuracies compare. */
function evaluationOrder(size: number): Uint32Array {
  return shuffled(size, randomStream({ seed: 0, purpose: 'subset', image: 1 }));
}
