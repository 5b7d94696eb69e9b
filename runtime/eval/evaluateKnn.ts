/** k-NN accuracy of a split's features, DINO's protocol: training images as gallery, the other split's as queries. */
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { errors } from '../../protocol/errors.ts';
import type { Dataset, Split } from '../data/dataset.ts';
import { extractFeatures, type FeatureExtractor, type LabelledFeatures } from './extractFeatures.ts';
import { knnAccuracy, type KnnOptions } from './knn.ts';
import { neighbourSearch, searchOnEngine, type FeatureRows, type Neighbours } from './nearestNeighbours.ts';
import type { OpenHost } from './programHost.ts';

export type EvaluatedSplit = ResolvedConfig['eval']['split'];

export interface KnnEvaluation {
  top1: number;
  top5: number;
  k: number;
  /** The same for every k of the list, the first included. */
  byK: { k: number; top1: number; top5: number }[];
  galleryImages: number;
  queryImages: number;
  elapsedMs: number;
}

export interface KnnEvaluationOptions {
  /** Further numbers of neighbours; `eval.knn.k` comes first. */
  alsoK?: readonly number[];
  voting?: KnnOptions['voting'];
  /** Where large searches run; absent: in plain arrays. */
  openHost?: OpenHost;
}

/** Queries searched before the event loop gets its turn. */
const queriesAtATime = 32;
/** Products from which on an engine is quicker, its start included. */
const productsForEngine = 4e9;

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
  options: KnnEvaluationOptions = {},
): Promise<KnnEvaluation> {
  const startedMs = performance.now();
  const { knn } = config.eval;
  const queried = requireSplit(dataset, split);
  const gallery = await extractFeatures(dataset.train, config, extract, { images: knn.galleryImages });
  const queries = await extractFeatures(queried, config, extract, { images: knn.queryImages });
  const result = await knnOfFeatures(gallery, queries, knn, options);
  return { ...result, elapsedMs: performance.now() - startedMs };
}

/** k-NN accuracy of features that are there already. */
export async function knnOfFeatures(
  gallery: LabelledFeatures,
  queries: LabelledFeatures,
  knn: Pick<ResolvedConfig['eval']['knn'], 'k' | 'temperature'>,
  { alsoK = [], voting, openHost }: KnnEvaluationOptions = {},
): Promise<Omit<KnnEvaluation, 'elapsedMs'>> {
  const ks = [...new Set([knn.k, ...alsoK].map((k) => Math.min(k, gallery.count)))];
  const neighbours = await search(rowsOf(gallery), rowsOf(queries), Math.max(...ks), openHost);
  const byK = ks.map((k) => {
    const { top1, top5 } = knnAccuracy(neighbours, gallery.labels_N, queries.labels_N, {
      k,
      temperature: knn.temperature,
      classes: gallery.classCount,
      ...(voting ? { voting } : {}),
    });
    return { k, top1, top5 };
  });
  return { ...byK[0]!, byK, galleryImages: gallery.count, queryImages: queries.count };
}

/** A split of a data set. @throws splitMissing */
export function requireSplit(dataset: Dataset, split: EvaluatedSplit): Split {
  const found = dataset[split];
  if (found) return found;
  const available = (['validation', 'test'] as const).filter((name) => dataset[name] !== null);
  throw errors.splitMissing(split, dataset.path, available);
}

function rowsOf({ features_ND, count, width }: LabelledFeatures): FeatureRows {
  return { features: features_ND, rows: count, width };
}

async function search(
  gallery: FeatureRows,
  queries: FeatureRows,
  k: number,
  openHost: OpenHost | undefined,
): Promise<Neighbours> {
  const products = gallery.rows * queries.rows * gallery.width;
  if (openHost && products >= productsForEngine) return searchOnEngine(gallery, queries, { k }, openHost);
  const { width } = gallery;
  const nearest = neighbourSearch(gallery);
  const found: Neighbours = {
    k,
    indices: new Int32Array(queries.rows * k),
    similarities: new Float32Array(queries.rows * k),
  };
  for (let start = 0; start < queries.rows; start += queriesAtATime) {
    const rows = Math.min(queriesAtATime, queries.rows - start);
    const features = queries.features.subarray(start * width, (start + rows) * width);
    const part = nearest({ features, rows, width }, { k });
    found.indices.set(part.indices, start * k);
    found.similarities.set(part.similarities, start * k);
    await yieldToEvents();
  }
  return found;
}
