import type { Split } from './dataset.ts';
import { createBatchRing } from './ring/batchRing.ts';

export interface EvaluationOptions {
  /** Shorter edge before the central crop. */
  resizePx: number;
  cropPx: number;
  batchSize: number;
  /** Use only the first so many images. */
  images?: number;
  /** Worker threads; 0 renders in this thread. */
  workers: number;
  onFaulty?: (image: string, reason: string) => void;
  workerScript?: URL;
}

/** Images as evaluation sees them; the arrays are valid until the next batch is asked for. */
export interface EvaluationBatch {
  /** Images in this batch: `batchSize`, less in the last one and where images were faulty. */
  size: number;
  /** [size, cropPx, cropPx, 3] */
  pixels: Uint8Array;
  images: Int32Array;
  /** null where the split has no labels. */
  labels: Int32Array | null;
}

/** The images of a split in its order, resized and centrally cropped; faulty ones are reported and left out. */
export async function* evaluationBatches(
  split: Split,
  options: EvaluationOptions,
): AsyncGenerator<EvaluationBatch, void, undefined> {
  const { resizePx, cropPx, batchSize, workers, onFaulty, workerScript } = options;
  const total = Math.min(options.images ?? split.size, split.size);
  const ring = createBatchRing({
    split,
    task: { kind: 'evaluation', resizePx, cropPx },
    batchSize: Math.min(batchSize, total),
    workers,
    depth: 3,
    contentOf: (generation) => {
      const first = generation * batchSize;
      if (first >= total) return null;
      return {
        epoch: 0,
        images: Array.from({ length: Math.min(batchSize, total - first) }, (_, index) => first + index),
      };
    },
    onFault: ({ image, reason }) => onFaulty?.(split.nameOf(image), reason),
    ...(workerScript && { workerScript }),
  });
  const imageBytes = 3 * cropPx ** 2;
  try {
    for (let batch = await ring.next(); batch !== null; batch = await ring.next()) {
      const { slot, content } = batch;
      const pixels = slot.views(0, 1);
      let size = 0;
      for (let place = 0; place < content.images.length; place++) {
        if (slot.images_B[place] === -1) continue;
        pixels.copyWithin(size * imageBytes, place * imageBytes, (place + 1) * imageBytes);
        slot.images_B[size++] = slot.images_B[place]!;
      }
      if (size === 0) continue;
      const images = slot.images_B.subarray(0, size);
      const labels = split.classes === null ? null : Int32Array.from(images, (image) => split.label(image)!);
      yield { size, pixels: pixels.subarray(0, size * imageBytes), images, labels };
    }
  } finally {
    await ring.close();
  }
}
