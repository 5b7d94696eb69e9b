import * as tf from '@tensorflow/tfjs-core';
import { bump, onePlusErf } from './gelu.ts';
import { recompute } from './recompute.ts';
import { rowBlocks, take } from './rowBlocks.ts';
import { rowSum } from './rowSum.ts';
import { withGradient } from './withGradient.ts';

export interface MlpParameters {
  weight1_HI: tf.Tensor2D;
  bias1_H: tf.Tensor1D;
  weight2_OH: tf.Tensor2D;
  bias2_O: tf.Tensor1D;
}

/**
 * Two layers with GELU between: `y = gelu(x W1^T + b1) W2^T + b2`, the same function as `linear`, `gelu`, `linear`.
 *
 * The hidden layer is four times as wide as everything else, and each pass over it costs a tenth of a product. Hence:
 *
 * - where it pays, rows are processed in blocks whose hidden layer stays in cache from the first product to the second, and on the way back;
 * - with s = h / sqrt 2, gelu(h) = s (1 + erf s) / sqrt 2: both roots are folded into the weights, which are small;
 * - of the hidden layer only s is kept for the gradient, `d/ds s (1 + erf s) = (1 + erf s) + 2/sqrt(pi) s e^(-s^2)`: computing erf again
 *   takes a hundredth of the step and saves a quarter of its memory.
 *
 * @param x [..., I]
 * @returns [..., O]
 */
export function mlp(x: tf.Tensor, { weight1_HI, bias1_H, weight2_OH, bias2_O }: MlpParameters): tf.Tensor {
  const [hidden, inputs] = weight1_HI.shape;
  const outputs = weight2_OH.shape[0];
  const x_NI: tf.Tensor2D = tf.reshape(x, [-1, inputs]);
  const blocks = rowBlocks(x_NI.shape[0], hidden);

  const y_NO = withGradient([x_NI, weight1_HI, bias1_H, weight2_OH, bias2_O], {
    forward() {
      const weight1 = tf.mul(weight1_HI, Math.SQRT1_2);
      const bias1 = tf.mul(bias1_H, Math.SQRT1_2);
      const weight2 = tf.mul(weight2_OH, Math.SQRT1_2);
      const results = blocks.map((block) => {
        const rows = take(x_NI, block);
        const s = tf.add(tf.matMul(rows, weight1, false, true), bias1);
        const y = tf.add(tf.matMul(tf.mul(s, onePlusErf(s)), weight2, false, true), bias2_O);
        return { kept: [rows, s], y };
      });
      return {
        output: tf.concat(results.map(({ y }) => y)) as tf.Tensor2D,
        saved: [weight1, weight2, ...results.flatMap(({ kept }) => kept)],
      };
    },
    backward(dy_NO, [weight1, weight2, ...kept]) {
      const parts = blocks.map((block, index) => {
        const [rows, s] = kept.slice(2 * index) as [tf.Tensor2D, tf.Tensor2D];
        const dy = take(dy_NO, block);
        const { twiceCdf, activated } = recompute(() => {
          const again = onePlusErf(s);
          return { twiceCdf: again, activated: tf.mul<tf.Tensor2D>(s, again) };
        });
        const ds = tf.mul<tf.Tensor2D>(tf.matMul(dy, weight2), tf.add(bump(s), twiceCdf));
        return {
          x: tf.matMul(ds, weight1),
          weight1_IH: tf.matMul(rows, ds, true, false),
          bias1: rowSum(ds),
          weight2: tf.matMul(dy, activated, true, false),
        };
      });
      const total = (name: 'weight1_IH' | 'bias1' | 'weight2') =>
        tf.mul(tf.addN(parts.map((part) => part[name] as tf.Tensor)), Math.SQRT1_2);
      return [
        tf.concat(parts.map((part) => part.x)),
        tf.transpose(total('weight1_IH')),
        total('bias1'),
        total('weight2'),
        rowSum(dy_NO),
      ];
    },
  });
  return tf.reshape(y_NO, [...x.shape.slice(0, -1), outputs]);
}
