/** k-NN accuracy of a split's features, DINO's protocol: training images as gallery, the other split's as queries. */
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { errors } from '../../protocol/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import { extractFeatures, type FeatureExtractor, type LabelledFeatures } from './extractFeatures.ts';
import { knnAccuracy } from './knn.ts';
import { neighbourSearch, type Neighbours } from './nearestNeighbours.ts';

export type EvaluatedSplit = ResolvedConfig['eval']['split'];

export interface KnnEvaluation {
  top1: number;
  top5: number;
  k: number;
  galleryImages: number;
  queryImages: number;
  elapsedMs: number;
}

/** Queries searched before the event loop gets its turn. */
const queriesAtATime = 32;

/**
 * Evaluates an extractor's features on a split.
 *
 * @throws splitMissing, labelsMissing
 */
export async function evaluateKnn(
  extract: FeatureExtractor,
  dataset: Dataset,
  config: Pick<ResolvedConfig, 'crops' | 'eval' | 'runtime'>,
  split: EvaluatedSplit = config.eval.split,
): Promise<KnnEvaluation> {
  const startedMs = performance.now();
  const queried = dataset[split];
  if (!queried) {
    const available = (['validation', 'test'] as const).filter((name) => dataset[name] !== null);
    throw errors.splitMissing(split, dataset.path, available);
  }
  const { knn } = config.eval;
  const gallery = await extractFeatures(dataset.train, config, extract, { images: knn.galleryImages });
  const queries = await extractFeatures(queried, config, extract, { images: knn.queryImages });
  const k = Math.min(knn.k, gallery.count);
  const neighbours = await search(gallery, queries, k);
  const { top1, top5 } = knnAccuracy(neighbours, gallery.labels_N, queries.labels_N, {
    k,
    temperature: knn.temperature,
    classes: gallery.classCount,
  });
  return {
    top1,
    top5,
    k,
    galleryImages: gallery.count,
    queryImages: queries.count,
    elapsedMs: performance.now() - startedMs,
  };
}

async function search(gallery: LabelledFeatures, queries: LabelledFeatures, k: number): Promise<Neighbours> {
  const { width } = gallery;
  const nearest = neighbourSearch({ features: gallery.features_ND, rows: gallery.count, width });
  const found: Neighbours = {
    k,
    indices: new Int32Array(queries.count * k),
    similarities: new Float32Array(queries.count * k),
  };
  for (let start = 0; start < queries.count; start += queriesAtATime) {
    const rows = Math.min(queriesAtATime, queries.count - start);
    const features = queries.features_ND.subarray(start * width, (start + rows) * width);
    const part = nearest({ features, rows, width }, { k });
    found.indices.set(part.indices, start * k);
    found.similarities.set(part.similarities, start * k);
    await yieldToEvents();
  }
  return found;
}
