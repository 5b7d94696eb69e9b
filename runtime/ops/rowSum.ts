import * as tf from '@tensorflow/tfjs-core';

/** Sum over the rows, [N,D] to [D], as a product with a row of ones: a matrix product reads its operand once, on all cores. */
export function rowSum(x_ND: tf.Tensor2D): tf.Tensor1D {
  const [rows, width] = x_ND.shape;
  return tf.reshape(tf.matMul(tf.ones([1, rows]), x_ND), [width]);
}
