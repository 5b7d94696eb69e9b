import * as tf from '@tensorflow/tfjs-core';
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
 * but the CLS token is used. Keys and values are projected for all tokens, the query for one.
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
  const [batch, tokens, width] = tokens_BND.shape;
  const headWidth = width / heads;
  if (!Number.isInteger(headWidth) || weight_ZD.shape[0] !== 3 * width) {
    throw new Error(
      `internal: clsAttention: weight must be [${3 * width},${width}] with a width divisible by ${heads} heads, got [${weight_ZD.shape}].`,
    );
  }
  const cls_BD = tf.reshape(tf.slice(tokens_BND, [0, 0, 0], [batch, 1, width]), [batch, width]);
  const q_BD = linear(cls_BD, tf.slice(weight_ZD, [0, 0], [width, width]), tf.slice(bias_Z, [0], [width]));
  const kv_BNY = linear(
    tokens_BND,
    tf.slice(weight_ZD, [width, 0], [2 * width, width]),
    tf.slice(bias_Z, [width], [2 * width]),
  );
  const q_BA1K = tf.reshape(tf.mul(q_BD, 1 / Math.sqrt(headWidth)), [batch, heads, 1, headWidth]);
  const kv_2BANK = tf.transpose(tf.reshape(kv_BNY, [batch, tokens, 2, heads, headWidth]), [2, 0, 3, 1, 4]);
  const [k_BANK, v_BANK] = tf.unstack(kv_2BANK) as [tf.Tensor4D, tf.Tensor4D];
  const probabilities_BA1N = tf.softmax(tf.matMul(q_BA1K, k_BANK, false, true));
  const output_BA1K = tf.matMul(probabilities_BA1N, v_BANK);
  return {
    output_BD: tf.reshape(output_BA1K, [batch, width]),
    probabilities_BAN: tf.reshape(probabilities_BA1N, [batch, heads, tokens]),
  };
}
