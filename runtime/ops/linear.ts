import * as tf from '@tensorflow/tfjs-core';
import { rowSum } from './rowSum.ts';
import { withGradient } from './withGradient.ts';

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
    throw new Error(
      `internal: linear: x must end in ${width} (weight [${outputs},${width}]), got [${x.shape.join()}].`,
    );
  }
  const x_NI: tf.Tensor2D = tf.reshape(x, [-1, width]);
  const y_NO = bias_O ? withBias(x_NI, weight_OI, bias_O) : tf.matMul(x_NI, weight_OI, false, true);
  return tf.reshape(y_NO, [...x.shape.slice(0, -1), outputs]);
}

function withBias(x_NI: tf.Tensor2D, weight_OI: tf.Tensor2D, bias_O: tf.Tensor1D): tf.Tensor2D {
  return withGradient([x_NI, weight_OI, bias_O], {
    forward: () => ({
      output: tf.add<tf.Tensor2D>(tf.matMul(x_NI, weight_OI, false, true), bias_O),
      saved: [x_NI, weight_OI],
    }),
    backward: (dy_NO, [x, weight]) => [tf.matMul(dy_NO, weight), tf.matMul(dy_NO, x, true, false), rowSum(dy_NO)],
  });
}
