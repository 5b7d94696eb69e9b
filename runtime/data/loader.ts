import { errors } from '../../protocol/errors.ts';
import type { Split } from './dataset.ts';
import { epochOrder } from './epochOrder.ts';
import { createBatchRing } from './ring/batchRing.ts';
import type { SamplingConfig } from './views/sampleViews.ts';

export interface LoaderOptions {
  split: Split;
  crops: SamplingConfig;
  batchSize: number;
  /** Of each batch only these images are rendered, in its order; absent: all. */
  part?: { first: number; count: number };
  seed: number;
  /** Worker threads; 0 renders in this thread. The batches are the same for any number. */
  workers: number;
  /** Number of the first batch, counted over all epochs: where a resumed run continues. */
  startStep: number;
  /** Share of the split's images that may be faulty before `next` rejects with `dataTooFaulty`. */
  maxFaultyShare: number;
  /** Takes each faulty image once per loader. */
  onFaulty?: (image: string, reason: string) => void;
  /** Batches made ahead of the one in use. */
  prefetch?: number;
  workerScript?: URL;
}

/**
 * A batch of views; its arrays are valid until the next call of `next`. Crops lie crop-major: view v of image b at v B
 * + b.
 */
export interface Batch {
  step: number;
  epoch: number;
  /** The images of the split that were rendered. */
  images_B: Int32Array;
  /** [views x B, H, W, 3] */
  global: Uint8Array;
  /** [views x B, h, w, 3] */
  local: Uint8Array;
}

export interface Loader {
  stepsPerEpoch: number;
  next(): Promise<Batch>;
  /** Images found faulty so far. */
  faultyCount(): number;
  close(): Promise<void>;
}

/**
 * Training batches without end: every epoch a seeded permutation of the split (shard by shard where it is streamed), its
 * incomplete last batch dropped. What
 * a batch holds depends on (seed, step) alone, so a run that resumes at any step sees what an uninterrupted one would
 * have.
 */
export function createLoader(options: LoaderOptions): Loader {
  const {
    split,
    crops,
    batchSize,
    seed,
    workers,
    startStep,
    maxFaultyShare,
    onFaulty,
    prefetch = 2,
    workerScript,
    part = { first: 0, count: batchSize },
  } = options;
  const stepsPerEpoch = Math.floor(split.size / batchSize);
  if (stepsPerEpoch === 0) throw errors.batchTooLarge(batchSize, split.size, split.path);
  const { streamed } = split;
  const orderOf = epochOrder(split.size, seed, streamed);
  const stream = streamed?.read({ seed });
  const faultLimit = Math.floor(maxFaultyShare * split.size);
  let faults = 0;

  const ring = createBatchRing({
    split,
    task: { kind: 'views', crops, seed },
    batchSize: part.count,
    workers,
    depth: prefetch + 1,
    contentOf: (generation) => {
      const step = startStep + generation;
      const epoch = Math.floor(step / stepsPerEpoch);
      const first = (step % stepsPerEpoch) * batchSize + part.first;
      const images = Array.from(orderOf(epoch).subarray(first, first + part.count));
      return { epoch, images, ...(stream && { encoded: () => stream.take(epoch, images) }) };
    },
    onFault: ({ image, reason }) => {
      faults++;
      onFaulty?.(split.nameOf(image), reason);
      if (faults > faultLimit || faults === split.size)
        throw errors.dataTooFaulty(split.path, faults, split.size, faultLimit);
    },
    ...(workerScript && { workerScript }),
  });

  return {
    stepsPerEpoch,
    faultyCount: () => faults,
    next: async () => {
      const batch = await ring.next();
      if (batch === null) throw new Error('internal: training batches ended');
      const { slot, generation, content } = batch;
      return {
        step: startStep + generation,
        epoch: content.epoch,
        images_B: slot.images_B,
        global: slot.views(0, crops.global.count),
        local: slot.views(crops.global.count, crops.local.count),
      };
    },
    close: async () => {
      await ring.close();
      await stream?.close();
    },
  };
}
