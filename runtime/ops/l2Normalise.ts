import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from './withGradient.ts';

/**
 * Rows to unit length: `y = x / max(|x|, epsilon)` over the last axis.
 *
 * The gradient is `dx = (dy - y <y, dy>) / max(|x|, epsilon)`, finite for a row of zeros too, where that of a square root is not.
 *
 * @param options.epsilon 1e-12 in the official single-precision heads
 */
export function l2Normalise<T extends tf.Tensor>(x: T, { epsilon }: { epsilon: number }): T {
  return withGradient([x], {
    forward() {
      const norm = tf.maximum(tf.sqrt(tf.sum(tf.square(x), -1, true)), epsilon);
      const unit = tf.div<T>(x, norm);
      return { output: unit, saved: [unit, norm] };
    },
    backward(dy, [unit, norm]) {
      const along = tf.sum(tf.mul(unit, dy), -1, true);
      return [tf.div(tf.sub(dy, tf.mul(unit, along)), norm)];
    },
  });
}
