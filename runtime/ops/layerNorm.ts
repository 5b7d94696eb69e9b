import * as tf from '@tensorflow/tfjs-core';

/**
 * Layer normalisation of the last axis: `y = (x - mean) / sqrt(var + epsilon) * weight + bias`, variance biased (divided by D).
 *
 * @param x [..., D]
 * @param options.epsilon added to the variance; 1e-6 in every official model
 */
export function layerNorm(
  x: tf.Tensor,
  weight_D: tf.Tensor1D,
  bias_D: tf.Tensor1D,
  { epsilon }: { epsilon: number },
): tf.Tensor {
  const width = weight_D.shape[0];
  if (x.shape.at(-1) !== width) {
    throw new Error(`internal: layerNorm: x must end in ${width}, got [${x.shape}].`);
  }
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  const normalised = tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(normalised, weight_D), bias_D);
}
