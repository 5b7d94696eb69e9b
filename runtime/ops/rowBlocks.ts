import * as tf from '@tensorflow/tfjs-core';

/** More blocks than this make a graph long rather than fast: what a few hundred nodes a layer cost to record and to load. */
const MOST_BLOCKS = 32;

/** Implemented by backends on which a chain of operations is faster in blocks that stay in a processor's caches. */
export interface Blocking {
  /** Elements of a block; absent: rows are not divided. */
  readonly blockElements: number | undefined;
}

export interface Block {
  first: number;
  count: number;
}

/** Blocks of nearly equal length, as the backend wants them: one, unless it says otherwise. */
export function rowBlocks(rows: number, width: number): Block[] {
  const { blockElements } = tf.backend() as tf.KernelBackend & Partial<Blocking>;
  const wanted = blockElements === undefined ? 1 : Math.round((rows * width) / blockElements);
  const count = Math.max(1, Math.min(wanted, MOST_BLOCKS, rows));
  const ends = Array.from({ length: count + 1 }, (_, index) => Math.round((index * rows) / count));
  return ends.slice(1).map((end, index) => ({ first: ends[index]!, count: end - ends[index]! }));
}

export function take(x_ND: tf.Tensor2D, { first, count }: Block): tf.Tensor2D {
  return tf.slice(x_ND, [first, 0], [count, x_ND.shape[1]]);
}
