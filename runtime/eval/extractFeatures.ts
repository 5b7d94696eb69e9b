/** Features of a split's images: the teacher's CLS tokens after the last norm, or the raw pixels as the figure to beat. */
import type { ResolvedConfig } from '../../configs/schema.ts';
import { errors } from '../../protocol/errors.ts';
import type { Split } from '../data/dataset.ts';
import { subsetSplit } from '../data/datasets/subset.ts';
import { evaluationBatches } from '../data/evaluationBatches.ts';
import { randomStream, shuffled } from '../data/random.ts';
import { featureBatch } from '../programs.ts';
import type { TrainingExecutor } from '../trainingExecutor.ts';

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

export function teacherFeatures(executor: TrainingExecutor): FeatureExtractor {
  return (pixels, count) => executor.features(pixels, count);
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
 * Extracts features of a split, or of the first `images` of a seeded shuffle of it: files lie sorted by class, so the first
 * of a split would be of one class.
 *
 * @throws labelsMissing
 */
export async function extractFeatures(
  split: Split,
  config: Pick<ResolvedConfig, 'crops' | 'eval' | 'runtime'>,
  extract: FeatureExtractor,
  { images }: { images: number | undefined },
): Promise<LabelledFeatures> {
  if (split.classes === null) throw errors.labelsMissing(split.path);
  const part =
    images === undefined || images >= split.size
      ? split
      : subsetSplit(split.name, split, evaluationOrder(split.size).slice(0, images).sort());
  const cropPx = config.crops.global.sizePx;
  const features: Float32Array[] = [];
  const labels: number[] = [];
  for await (const batch of evaluationBatches(part, {
    resizePx: config.eval.resizePx ?? Math.round((cropPx * 256) / 224),
    cropPx,
    batchSize: featureBatch,
    workers: config.runtime.dataWorkers,
  })) {
    features.push(Float32Array.from(await extract(batch.pixels, batch.size)));
    labels.push(...(batch.labels ?? []));
  }
  const count = labels.length;
  const total = features.reduce((sum, part) => sum + part.length, 0);
  const features_ND = new Float32Array(total);
  let at = 0;
  for (const rows of features) {
    features_ND.set(rows, at);
    at += rows.length;
  }
  const width = count === 0 ? 0 : total / count;
  return { features_ND, labels_N: Int32Array.from(labels), count, width, classCount: split.classes.length };
}

/** The same for every run, whatever its seed, so that accuracies compare. */
function evaluationOrder(size: number): Uint32Array {
  return shuffled(size, randomStream({ seed: 0, purpose: 'subset', image: 1 }));
}
