import * as tf from '@tensorflow/tfjs-core';

/** Added to the variance of a feature. */
const epsilon = 1e-5;

/**
 * Barlow Twins, an objective of Table 5: the cross-correlation C of two views' features is to be the identity,
 *
 *     loss = sum_i (1 - C_ii)^2 + lambda sum_{i != j} C_ij^2,   C = 1/B sum_b a_b b_b^T
 *
 * with every feature standardised over the batch (biased variance).
 *
 * @param a_BO features of one view, not necessarily of unit length; @param b_BO of the other, in the same order
 * @param options.lambda 0.0051 in the method's own code
 */
export function barlowTwins(a_BO: tf.Tensor2D, b_BO: tf.Tensor2D, { lambda }: { lambda: number }): tf.Scalar {
  const [batch, width] = a_BO.shape;
  const correlation_OO = tf.div(tf.matMul(standardised(a_BO), standardised(b_BO), true, false), batch);
  const identity_OO = tf.eye(width);
  const squares_OO = tf.square(tf.sub(correlation_OO, identity_OO));
  const weights_OO = tf.add(tf.mul(identity_OO, 1 - lambda), lambda);
  return tf.sum(tf.mul(squares_OO, weights_OO));
}

function standardised(x_BO: tf.Tensor2D): tf.Tensor2D {
  const centred = tf.sub(x_BO, tf.mean(x_BO, 0, true));
  const variance = tf.mean(tf.square(centred), 0, true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
}
