import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from './withGradient.ts';

/** `A B` or `A B^T`, batch by batch, with a gradient in the precision of the forward pass, which the tape's own would not have. */
export function batchProduct(a: tf.Tensor3D, b: tf.Tensor3D, { transposeB = false } = {}): tf.Tensor3D {
  return withGradient<readonly [tf.Tensor3D, tf.Tensor3D], tf.Tensor3D>([a, b], {
    forward: () => ({ output: tf.matMul(a, b, false, transposeB), saved: [a, b] }),
    backward: (dy, [left, right]) =>
      transposeB
        ? [tf.matMul(dy, right), tf.matMul(dy, left, true, false)]
        : [tf.matMul(dy, right, false, true), tf.matMul(left, dy, true, false)],
  });
}
