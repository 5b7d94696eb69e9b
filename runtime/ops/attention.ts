import * as tf from '@tensorflow/tfjs-core';
import { batchProduct } from './batchProduct.ts';
import { linear } from './linear.ts';

export interface Attention {
  /** [B,N,D], the heads side by side; the output projection is the caller's. */
  output_BND: tf.Tensor3D;
  /** softmax(q k^T / sqrt K), [B,A,N,N]: built only when asked for. */
  probabilities_BANN(): tf.Tensor4D;
}

/**
 * Multi-head self-attention: `softmax(q k^T / sqrt K) v` in each head.
 *
 * @param qkv_BNZ the fused projection in the official order: Z = 3D = (q, k, v), each made of A heads of width K
 */
export function attention(qkv_BNZ: tf.Tensor3D, { heads }: { heads: number }): Attention {
  const [batch, tokens, fused] = qkv_BNZ.shape;
  const headWidth = fused / 3 / heads;
  if (!Number.isInteger(headWidth)) {
    throw new Error(`internal: attention: the last axis must be 3 x ${heads} heads x width, got [${qkv_BNZ.shape}].`);
  }
  const qkv_BN3AK = tf.reshape(qkv_BNZ, [batch, tokens, 3, heads, headWidth]);
  const qkv_3BANK = tf.transpose(qkv_BN3AK, [2, 0, 3, 1, 4]);
  const [q_BANK, k_BANK, v_BANK] = tf.unstack(qkv_3BANK) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
  const probabilities_BANN = () =>
    tf.softmax<tf.Tensor4D>(tf.matMul(tf.mul<tf.Tensor4D>(q_BANK, 1 / Math.sqrt(headWidth)), k_BANK, false, true));
  const output_BANK = tf.matMul(probabilities_BANN(), v_BANK);
  const output_BNAK = tf.transpose(output_BANK, [0, 2, 1, 3]);
  return { output_BND: tf.reshape(output_BNAK, [batch, tokens, heads * headWidth]), probabilities_BANN };
}

export interface ClsAttention {
  output_BD: tf.Tensor2D;
  /** What the CLS token looks at, itself first: [B,A,N]. */
  probabilities_BAN: tf.Tensor3D;
}

/**
 * The CLS row of self-attention: the same numbers as row 0 of `attention(linear(tokens, W, b))`, for a last block of which nothing
 * but the CLS token is used.
 *
 * With one query per head there is no need for the keys and values of all tokens, which would be nearly all of the work. A score is
 * `q . (W_k x) = (W_k^T q) . x`, and a mean of values `sum p W_v x = W_v (sum p x)`: the weights are applied to what there is once per
 * image and head. The keys' bias moves all scores of a query alike, which softmax does not see; the values' is added once, since
 * probabilities sum to 1.
 *
 * @param tokens_BND normalised tokens, CLS first
 * @param weight_ZD the fused projection of the block, Z = 3D = (q, k, v)
 */
export function clsAttention(
  tokens_BND: tf.Tensor3D,
  weight_ZD: tf.Tensor2D,
  bias_Z: tf.Tensor1D,
  { heads }: { heads: number },
): ClsAttention {
  const [batch, , width] = tokens_BND.shape;
  const headWidth = width / heads;
  if (!Number.isInteger(headWidth) || weight_ZD.shape[0] !== 3 * width) {
    throw new Error(
      `internal: clsAttention: weight must be [${3 * width},${width}] with a width divisible by ${heads} heads, got [${weight_ZD.shape}].`,
    );
  }
  const weightOf = (index: number) => tf.slice(weight_ZD, [index * width, 0], [width, width]);
  const biasOf = (index: number) => tf.slice(bias_Z, [index * width], [width]);
  // Between [B,A,..] and [A,B,..].
  const exchanged = (x: tf.Tensor3D) => tf.transpose(x, [1, 0, 2]);
  const [keyWeight_AKD, valueWeight_AKD] = [1, 2].map((index) =>
    tf.reshape(weightOf(index), [heads, headWidth, width]),
  ) as [tf.Tensor3D, tf.Tensor3D];

  const cls_BD = tf.reshape(tf.slice(tokens_BND, [0, 0, 0], [batch, 1, width]), [batch, width]);
  const q_BD = tf.mul(linear(cls_BD, weightOf(0), biasOf(0)), 1 / Math.sqrt(headWidth));
  const q_ABK = exchanged(tf.reshape(q_BD, [batch, heads, headWidth]));
  const lookedFor_BAD = exchanged(batchProduct(q_ABK, keyWeight_AKD));
  const probabilities_BAN = tf.softmax(batchProduct(lookedFor_BAD, tokens_BND, { transposeB: true }));
  const seen_ABD = exchanged(batchProduct(probabilities_BAN, tokens_BND));
  const output_BAK = exchanged(batchProduct(seen_ABD, valueWeight_AKD, { transposeB: true }));
  return { output_BD: tf.add(tf.reshape(output_BAK, [batch, width]), biasOf(2)), probabilities_BAN };
}
