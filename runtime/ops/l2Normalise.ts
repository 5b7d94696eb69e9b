import * as tf from '@tensorflow/tfjs-core';

/**
 * Rows to unit length: `y = x / max(|x|, epsilon)` over the last axis.
 *
 * @param options.epsilon 1e-12 in the official single-precision heads
 */
export function l2Normalise<T extends tf.Tensor>(x: T, { epsilon }: { epsilon: number }): T {
  const norm = tf.sqrt(tf.sum(tf.square(x), -1, true));
  return tf.div<T>(x, tf.maximum(norm, epsilon));
}
