import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from './withGradient.ts';

/**
 * Rows to unit length: `y = x / max(|x|, epsilon)` over the last axis.
 *
 * The gradient is `dx = (dy - y (y . dy)) / |x|`, and `dy / epsilon` for a row shorter than epsilon; unlike the tape's, which differentiates
 * the root, it is finite for a row of zeros.
 *
 * @param options.epsilon 1e-12 in the official single-precision heads
 */
export function l2Normalise<T extends tf.Tensor>(x: T, { epsilon }: { epsilon: number }): T {
  return withGradient<readonly [T, tf.Tensor], T>([x], {
    forward() {
      const norm = tf.sqrt(tf.sum(tf.square(x), -1, true));
      const output = tf.div<T>(x, tf.maximum(norm, epsilon));
      return { output, saved: [output, norm] };
    },
    backward(dy, [y, norm]) {
      const along = tf.where(tf.greater(norm, epsilon), tf.sum(tf.mul(y, dy), -1, true), 0);
      return [tf.div(tf.sub(dy, tf.mul(y, along)), tf.maximum(norm, epsilon))];
    },
  });
}
