/** Nearest neighbours to look at: for some images, the images of the training split whose features are most alike. */
import type { ResolvedConfig } from '../../../configs/schema.ts';
import type { Split } from '../../data/dataset.ts';
import { subsetSplit } from '../../data/datasets/subset.ts';
import { evaluationBatches } from '../../data/evaluationBatches.ts';
import { randomStream, shuffled } from '../../data/random.ts';
import type { Backbone } from '../backbone.ts';
import { nearestNeighbours, type FeatureRows } from '../nearestNeighbours.ts';

const batchSize = 64;

export interface Retrieved {
  /** Image of the queried split. */
  query: number;
  /** Images of the gallery's split, nearest first. */
  nearest: { image: number; cosine: number }[];
}

export interface SplitFeatures extends FeatureRows {
  /** The image of each row. */
  images: number[];
}

/** Class tokens of so many images of a split, drawn without regard to the run's seed. */
export async function classTokens(
  backbone: Backbone,
  split: Split,
  count: number,
  config: Pick<ResolvedConfig, 'crops' | 'eval' | 'runtime'>,
): Promise<SplitFeatures> {
  const order = shuffled(split.size, randomStream({ seed: 0, purpose: 'subset', image: 1 }))
    .slice(0, count)
    .sort();
  const cropPx = config.crops.global.sizePx;
  const size = { widthPx: cropPx, heightPx: cropPx };
  const rows: Float32Array[] = [];
  const images: number[] = [];
  for await (const batch of evaluationBatches(subsetSplit(split.name, split, order), {
    resizePx: config.eval.resizePx ?? Math.round((cropPx * 256) / 224),
    cropPx,
    batchSize,
    workers: config.runtime.dataWorkers,
  })) {
    const full = new Uint8Array(batchSize * cropPx * cropPx * 3);
    full.set(batch.pixels);
    const { cls } = await backbone.run(full, { count: batchSize, ...size }, ['cls']);
    rows.push(cls.slice(0, batch.size * backbone.vit.width));
    images.push(...Array.from(batch.images, (place) => order[place]!));
  }
  const features = new Float32Array(images.length * backbone.vit.width);
  let at = 0;
  for (const part of rows) {
    features.set(part, at);
    at += part.length;
  }
  return { features, rows: images.length, width: backbone.vit.width, images };
}

/** The nearest of the gallery to each query, by cosine. */
export function retrieve(gallery: SplitFeatures, queries: SplitFeatures, count: number): Retrieved[] {
  const k = Math.min(count, gallery.rows);
  const { indices, similarities } = nearestNeighbours(gallery, queries, { k });
  return queries.images.map((query, row) => ({
    query,
    nearest: Array.from({ length: k }, (_, place) => ({
      image: gallery.images[indices[row * k + place]!]!,
      cosine: similarities[row * k + place]!,
    })),
  }));
}
