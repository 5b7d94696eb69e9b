import * as tf from '@tensorflow/tfjs-core';

/** Added to the norm, so that a zero gradient divides by something. */
const epsilon = 1e-6;

/**
 * Gradient of one tensor, scaled down to a norm of at most `maxNorm`: `g min(1, maxNorm / (|g| + 1e-6))`.
 * The authors' SimDINO tree (v1) clips each tensor by itself.
 *
 * @param norm l2 norm of the gradient, as `gradientNorm` returns it
 */
export function clipByNorm<T extends tf.Tensor>(gradient: T, norm: tf.Scalar, { maxNorm }: { maxNorm: number }): T {
  return tf.mul<T>(gradient, clipFactor(norm, { maxNorm }));
}

/** `min(1, maxNorm / (norm + 1e-6))`: the factor of one tensor, or of all of them if the norm is global. */
export function clipFactor(norm: tf.Scalar, { maxNorm }: { maxNorm: number }): tf.Scalar {
  return tf.minimum(tf.div(maxNorm, tf.add(norm, epsilon)), 1);
}

/** l2 norm of one gradient. */
export function gradientNorm(gradient: tf.Tensor): tf.Scalar {
  return tf.sqrt(tf.sum(tf.square(gradient)));
}

/** l2 norm of all gradients together, from their own norms. */
export function globalNorm(norms: readonly tf.Scalar[]): tf.Scalar {
  return tf.sqrt<tf.Scalar>(tf.addN(norms.map((norm) => tf.square(norm))));
}
