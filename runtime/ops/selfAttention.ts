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
 * Only the queries' bias is added to tokens. The keys' bias moves all scores of a query alike, which softmax does not see: it has no
 * effect and no gradient. The values' bias passes through attention unchanged, since probabilities sum to 1: it joins the output's.
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
      // Rows of the fused projection are contiguous: slices of weights, not of tokens.
      const weightOf = (index: number) =>
        tf.reshape(tf.slice(qkvWeight_ZD, [index * width, 0], [width, width]), [heads, headWidth, width]);
      const biasOf = (index: number) => tf.slice(qkvBias_Z, [index * width], [width]);
      const weights = [tf.mul(weightOf(0), scale), weightOf(1), weightOf(2)] as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
      const [q_ARK, k_ARK, v_ARK] = weights.map((weight_AKD) => tf.matMul(x_1RD, weight_AKD, false, true)) as [
        tf.Tensor3D,
        tf.Tensor3D,
        tf.Tensor3D,
      ];
      const q = byHead(tf.add(q_ARK, tf.mul(tf.reshape(biasOf(0), [heads, 1, headWidth]), scale)));
      const [k, v] = [byHead(k_ARK), byHead(v_ARK)];
      const p = tf.softmax(tf.matMul(q, k, false, true));
      const o_ARK = byRow(tf.matMul(p, v));
      const o_RD = tf.reshape<tf.Rank.R2>(tf.transpose(o_ARK, [1, 0, 2]), [rows, width]);
      const valueBias_1D: tf.Tensor2D = tf.reshape(biasOf(2), [1, width]);
      const bias_1D = tf.add(tf.matMul(valueBias_1D, outputWeight_DD, false, true), outputBias_D);
      const y = tf.add<tf.Tensor2D>(tf.matMul(o_RD, outputWeight_DD, false, true), bias_1D);
      return { output: y, saved: [x_1RD, outputWeight_DD, valueBias_1D, q, k, v, p, o_RD, ...weights] };
    },

    backward(dy_RD, [x, outputWeight, valueBias_1D, q, k, v, p, o_RD, ...weights]) {
      const dy_1RD = tf.reshape(dy_RD, [1, rows, width]);
      // [D, A K] to [A, D, K]: of a weight, not of tokens.
      const outputWeight_ADK = tf.transpose(tf.reshape(outputWeight, [width, heads, headWidth]), [1, 0, 2]);
      const do_ = byHead(tf.matMul(dy_1RD, outputWeight_ADK));
      const dBias_1D: tf.Tensor2D = tf.reshape(rowSum(dy_RD), [1, width]);
      const dOutputWeight = tf.add(tf.matMul(dy_RD, o_RD, true, false), tf.matMul(dBias_1D, valueBias_1D, true, false));

      const dv = tf.matMul(p, do_, true, false);
      const dp = tf.matMul(do_, v, false, true);
      // Through softmax: ds = p (dp - sum over keys of p dp).
      const product = tf.mul(p, dp);
      const ds = tf.sub<tf.Tensor3D>(product, tf.mul(p, tf.sum(product, -1, true)));
      const dq = tf.matMul(ds, k);
      const dk = tf.matMul(ds, q, true, false);

      const grads = [dq, dk, dv].map((grad, index) => {
        const grad_RD: tf.Tensor2D = tf.reshape(tf.transpose(byRow(grad), [1, 0, 2]), [rows, width]);
        const weight_DD: tf.Tensor2D = tf.reshape(weights[index]!, [width, width]);
        const x_RD: tf.Tensor2D = tf.reshape(x, [rows, width]);
        return { rows: grad_RD, x: tf.matMul(grad_RD, weight_DD), weight_DD: tf.matMul(x_RD, grad_RD, true, false) };
      });
      const [ofQuery, ofKey, ofValue] = grads as [(typeof grads)[0], (typeof grads)[0], (typeof grads)[0]];
      return [
        tf.reshape(tf.addN(grads.map((grad) => grad.x)), [1, rows, width]),
        tf.transpose(tf.concat([tf.mul(ofQuery.weight_DD, scale), ofKey.weight_DD, ofValue.weight_DD], 1)),
        tf.concat([
          tf.mul(rowSum(ofQuery.rows), scale),
          tf.zeros([width]),
          tf.reshape(tf.matMul(dBias_1D, outputWeight), [width]),
        ]),
        dOutputWeight,
        tf.reshape(dBias_1D, [width]),
      ];
    },
  });
  return tf.reshape(y_RD, [batch, tokens, width]);
}
