import * as tf from '@tensorflow/tfjs-core';

/**
 * Affine map of the last axis: `y = x W^T + b`.
 *
 * Leading axes are flattened into rows for the product, so that the weight's gradient is one matrix product as well.
 *
 * @param x [..., I]
 * @param weight_OI the official layout (out, in)
 * @param bias_O absent: no bias
 * @returns [..., O]
 */
export function linear(x: tf.Tensor, weight_OI: tf.Tensor2D, bias_O?: tf.Tensor1D): tf.Tensor {
  const [outputs, width] = weight_OI.shape;
  if (x.shape.at(-1) !== width) {
    throw new Error(`internal: linear: x must end in ${width} (weight [${outputs},${width}]), got [${x.shape}].`);
  }
  const x_NI = tf.reshape(x, [-1, width]) as tf.Tensor2D;
  const product_NO = tf.matMul(x_NI, weight_OI, false, true);
  const y_NO = bias_O ? tf.add(product_NO, bias_O) : product_NO;
  return tf.reshape(y_NO, [...x.shape.slice(0, -1), outputs]);
}
