import * as tf from '@tensorflow/tfjs-core';

/**
 * Uniformity on the sphere, an objective of Table 5: `ln mean_{i<j} e^(-t |x_i - x_j|^2)`, t = 2. It is 0 when all features are one, and falls
 * as they spread.
 *
 * @param unit_BO unit features, one row per image
 */
export function uniformity(unit_BO: tf.Tensor2D, { t = 2 }: { t?: number } = {}): tf.Scalar {
  const batch = unit_BO.shape[0];
  // For unit rows |x_i - x_j|^2 = 2 - 2 x_i.x_j.
  const squares_BB = tf.sub(2, tf.mul(tf.matMul(unit_BO, unit_BO, false, true), 2));
  const potentials_BB = tf.mul(tf.exp(tf.mul(squares_BB, -t)), tf.sub(1, tf.eye(batch)));
  return tf.log(tf.div(tf.sum(potentials_BB), batch * (batch - 1)));
}
