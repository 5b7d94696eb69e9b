import * as tf from '@tensorflow/tfjs-core';

/** Exact GELU (Gaussian error linear unit): `y = x/2 (1 + erf(x / sqrt 2))`. Any shape. */
export function gelu<T extends tf.Tensor>(x: T): T {
  const twiceCdf = tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1);
  return tf.mul(tf.mul(x, 0.5), twiceCdf) as T;
}
