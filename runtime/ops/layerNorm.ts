import * as tf from '@tensorflow/tfjs-core';
import { rowSum } from './rowSum.ts';
import { withGradient } from './withGradient.ts';

/**
 * Layer normalisation of the last axis: `y = (x - mean) / sqrt(var + epsilon) * weight + bias`, variance biased (divided by D).
 *
 * With c = x - mean, r = 1 / sqrt(var + epsilon) and g = dy weight, the gradient is `dx = r (g - mean(g) - c r^2 mean(g c))`. The
 * means over a row and the sums over the rows are products with a vector, which read their operand once:
 * mean(g) = dy weight / D, mean(g c) = (dy c) weight / D, dweight = r^T (dy c).
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
    throw new Error(`internal: layerNorm: x must end in ${width}, got [${x.shape.join()}].`);
  }
  const x_ND: tf.Tensor2D = tf.reshape(x, [-1, width]);
  const y_ND = withGradient([x_ND, weight_D, bias_D], {
    forward() {
      const [y, mean_N1, inverseDeviation_N1] = normalised(x_ND, weight_D, bias_D, epsilon);
      return { output: y, saved: [x_ND, weight_D, mean_N1, inverseDeviation_N1] };
    },
    backward(dy_ND, [kept_ND, weight, mean_N1, r_N1]) {
      const centred = tf.sub(kept_ND, mean_N1);
      const product = tf.mul(dy_ND, centred);
      const average_D1 = tf.div<tf.Tensor2D>(tf.reshape(weight, [width, 1]), width);
      const meanG_N1 = tf.matMul(dy_ND, average_D1);
      const meanGC_N1 = tf.matMul(product, average_D1);
      const towardsMean = tf.mul(centred, tf.mul(tf.square(r_N1), meanGC_N1));
      const dx = tf.mul(tf.sub(tf.sub(tf.mul(dy_ND, weight), towardsMean), meanG_N1), r_N1);
      const dWeight_D = tf.reshape(tf.matMul(r_N1, product as tf.Tensor2D, true, false), [width]);
      return [dx, dWeight_D, rowSum(dy_ND)];
    },
  });
  return tf.reshape(y_ND, x.shape);
}

/** [y, mean, 1 / sqrt(var + epsilon)]; by one kernel where the backend has it. */
function normalised(
  x_ND: tf.Tensor2D,
  weight_D: tf.Tensor1D,
  bias_D: tf.Tensor1D,
  epsilon: number,
): [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D] {
  if (tf.getKernel('LayerNorm', tf.getBackend()) !== undefined) {
    return tf.engine().runKernel('LayerNorm', { x: x_ND, weight: weight_D, bias: bias_D }, { epsilon });
  }
  const mean = tf.mean(x_ND, -1, true);
  const centred = tf.sub(x_ND, mean);
  const inverseDeviation = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), epsilon));
  const y = tf.add(tf.mul(tf.mul(centred, inverseDeviation), weight_D), bias_D);
  return [y, mean, inverseDeviation] as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
}
