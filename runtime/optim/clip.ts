import * as tf from '@tensorflow/tfjs-core';

/** Added to the norm, so that a zero gradient divides by something. */
const epsilon = 1e-6;

/**
 * Gradient of one tensor, scaled down to a norm of at most `maxNorm`: `g min(1, maxNorm / (|g| + 1e-6))`.
 * The authors' SimDINO tree (v1) clips each tensor by itself.
 *
 * @param norm l2 norm of the gradient
 */
export function clipByNorm<T extends tf.Tensor>(gradient: T, norm: tf.Scalar, { maxNorm }: { maxNorm: number }): T {
  return tf.mul<T>(gradient, clipFactor(norm, { maxNorm }));
}

/** `min(1, maxNorm / (norm + 1e-6))`: the factor of one tensor, or of all of them if the norm is global; of each norm, if there are several. */
export function clipFactor<T extends tf.Tensor>(norm: T, { maxNorm }: { maxNorm: number }): T {
  return tf.minimum(tf.div(maxNorm, tf.add(norm, epsilon)), 1);
}

/**
 * l2 norm of each gradient: a network has hundreds, and hundreds of operations on single numbers take longer than one on all.
 *
 * Squares are summed from the last gradient to the first, in the order in which a backward pass finds them. An executor that goes by the
 * order of the operands would else go back to the first layer before anything else, and keep what all layers need for their weights.
 */
export function gradientNorms(gradients: readonly tf.Tensor[]): tf.Tensor1D {
  const squares = gradients.toReversed().map((gradient) => tf.reshape(tf.sum(tf.square(gradient)), [1]));
  return tf.sqrt(tf.concat(squares.toReversed()) as tf.Tensor1D);
}

/** l2 norm of all gradients together, from their own norms. */
export function globalNorm(norms_T: tf.Tensor1D): tf.Scalar {
  return tf.sqrt<tf.Scalar>(tf.sum(tf.square(norms_T)));
}
