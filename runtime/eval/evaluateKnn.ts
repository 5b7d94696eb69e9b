/** k-NN accuracy of a split's features, DINO's protocol: training images as gallery, the other split's as queries. */
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { ResolvedConfig } from '../../configs/schema.ts';
import type { LabelledFeatures } from './extractFeatures.ts';
import { knnAccuracy, type KnnOptions } from './knn.ts';
import { neighbourSearch, searchOnEngine, type FeatureRows, type Neighbours } from './nearestNeighbours.ts';
import type { OpenHost } from './programHost.ts';

export interface KnnEvaluation {
  top1: number;
  top5: number;
  k: number;
  /** The same for every k of the list, the first included. */
  byK: { k: number; top1: number; top5: number }[];
  galleryImages: number;
  queryImages: number;
}

/** Features of the images that vote, and of those that are classified. */
export interface KnnFeatures {
  gallery: LabelledFeatures;
  queries: LabelledFeatures;
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

/** k-NN accuracy of queries among a gallery. */
export async function evaluateKnn(
  { gallery, queries }: KnnFeatures,
  knn: Pick<ResolvedConfig['eval']['knn'], 'k' | 'temperature'>,
  { alsoK = [], voting, openHost }: KnnEvaluationOptions = {},
): Promise<KnnEvaluation> {
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
