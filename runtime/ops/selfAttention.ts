import * as tf from '@tensorflow/tfjs-core';
import { rowSum } from './rowSum.ts';
import { withGradient } from './withGradient.ts';

export interface SelfAttentionParameters {
  /** The fused projection in the official order: Z = 3D = (q, k, v), each made of A heads of width K. */
  qkvWeight_ZD: tf.Tensor2D;
  qkvBias_Z: tf.Tensor1D;
  outputWeight_DD: tf.Tensor2D;
  outputBias_D: tf.Tensor1D;
}

/**
 * Multi-head self-attention with its projections: in each head `softmax(q k^T / sqrt K) v`, heads side by side, then `W x + b`.
 *
 * The same numbers as `linear`, `attention`, `linear`, without moving tokens between layouts: each head's share of a weight is applied to all
 * tokens by a batch of products, so that queries, keys and values are born head by head, [A, B N, K], which is the layout that the
 * products of attention want; the backward pass likewise. 1/sqrt K is folded into the query's weights.
 *
 * @param x_BND normalised tokens
 */
export function selfAttention(
  x_BND: tf.Tensor3D,
  { qkvWeight_ZD, qkvBias_Z, outputWeight_DD, outputBias_D }: SelfAttentionParameters,
  { heads }: { heads: number },
): tf.Tensor3D {
  const [batch, tokens, width] = x_BND.shape;
  const headWidth = width / heads;
  if (!Number.isInteger(headWidth) || qkvWeight_ZD.shape[0] !== 3 * width) {
    throw new Error(
      `internal: selfAttention: weight must be [${3 * width},${width}] with a width divisible by ${heads} heads, got [${qkvWeight_ZD.shape.join()}].`,
    );
  }
  const scale = 1 / Math.sqrt(headWidth);
  const rows = batch * tokens;
  const x_1RD = tf.reshape(x_BND, [1, rows, width]);
  const byHead = (x: tf.Tensor): tf.Tensor3D => tf.reshape(x, [heads * batch, tokens, headWidth]);
  const byRow = (x: tf.Tensor): tf.Tensor3D => tf.reshape(x, [heads, rows, headWidth]);

  const y_RD = withGradient([x_1RD, qkvWeight_ZD, qkvBias_Z, outputWeight_DD, outputBias_D], {
    forward() {
      // Slices of weights: rows of the fused projection are contiguous.
      const part = (index: number, factor: number) => ({
        weight_AKD: tf.mul(
          tf.reshape(tf.slice(qkvWeight_ZD, [index * width, 0], [width, width]), [heads, headWidth, width]),
          factor,
        ),
        bias_A1K: tf.mul(tf.reshape(tf.slice(qkvBias_Z, [index * width], [width]), [heads, 1, headWidth]), factor),
      });
      const parts = [part(0, scale), part(1, 1), part(2, 1)];
      const [q, k, v] = parts.map(({ weight_AKD, bias_A1K }) =>
        byHead(tf.add(tf.matMul(x_1RD, weight_AKD, false, true), bias_A1K)),
      ) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
      const p = tf.softmax(tf.matMul(q, k, false, true));
      const o_ARK = byRow(tf.matMul(p, v));
      const o_RD = tf.reshape(tf.transpose(o_ARK, [1, 0, 2]), [rows, width]) as tf.Tensor2D;
      const y = tf.add(tf.matMul(o_RD, outputWeight_DD, false, true), outputBias_D) as tf.Tensor2D;
      const weights = parts.map(({ weight_AKD }) => weight_AKD);
      return { output: y, saved: [x_1RD, outputWeight_DD, q, k, v, p, o_ARK, ...weights] };
    },

    backward(dy_RD, [x, outputWeight, q, k, v, p, o_ARK, ...weights]) {
      const dy_1RD = tf.reshape(dy_RD, [1, rows, width]);
      // [D, A K] to [A, D, K]: of a weight, not of tokens.
      const outputWeight_ADK = tf.transpose(tf.reshape(outputWeight, [width, heads, headWidth]), [1, 0, 2]);
      const do_ = byHead(tf.matMul(dy_1RD, outputWeight_ADK));
      const dOutputWeight_ADK = tf.matMul(dy_1RD, o_ARK, true, false);

      const dv = tf.matMul(p, do_, true, false);
      const dp = tf.matMul(do_, v, false, true);
      // Through softmax: ds = p (dp - sum over keys of p dp), and that sum is (do . o) of the query.
      const inner = tf.sum(tf.mul(do_, byHead(o_ARK)), -1, true);
      const ds = tf.mul(p, tf.sub(dp, inner));
      const dq = tf.matMul(ds, k);
      const dk = tf.matMul(ds, q, true, false);

      const grads = [dq, dk, dv].map((grad, index) => {
        const grad_ARK = byRow(grad);
        const grad_RD = tf.reshape(tf.transpose(grad_ARK, [1, 0, 2]), [rows, width]) as tf.Tensor2D;
        const weight_DD = tf.reshape(weights[index]!, [width, width]) as tf.Tensor2D;
        const factor = index === 0 ? scale : 1;
        return {
          x: tf.matMul(grad_RD, weight_DD),
          weight: tf.mul(tf.matMul(grad_RD, tf.reshape(x, [rows, width]), true, false), factor),
          bias: tf.mul(rowSum(grad_RD), factor),
        };
      });
      return [
        tf.reshape(tf.addN(grads.map((grad) => grad.x)), [1, rows, width]),
        tf.concat(grads.map((grad) => grad.weight)),
        tf.concat(grads.map((grad) => grad.bias)),
        tf.reshape(tf.transpose(dOutputWeight_ADK, [1, 0, 2]), [width, width]),
        rowSum(dy_RD),
      ];
    },
  });
  return tf.reshape(y_RD, [batch, tokens, width]);
}
