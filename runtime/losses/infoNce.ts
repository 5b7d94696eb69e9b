import * as tf from '@tensorflow/tfjs-core';

/**
 * InfoNCE, the contrastive objective of Table 5: each of one view's features is to recognise its own image among the other view's,
 *
 *     loss = mean_i -ln( e^(a_i.b_i / tau) / sum_j e^(a_i.b_j / tau) )
 *
 * @param a_BO unit features, one row per image; @param b_BO those of another view or of the teacher, in the same order
 */
export function infoNce(a_BO: tf.Tensor2D, b_BO: tf.Tensor2D, { temperature }: { temperature: number }): tf.Scalar {
  const scores_BB = tf.div(tf.matMul(a_BO, b_BO, false, true), temperature);
  return tf.neg(tf.mean(diagonal(tf.logSoftmax(scores_BB))));
}

/**
 * SimCLR's form, NT-Xent: the other images of the own view are rivals too, and both views ask. The mean over all 2B rows.
 *
 * @param a_BO unit features of one view; @param b_BO of the other, in the same order
 */
export function ntXent(a_BO: tf.Tensor2D, b_BO: tf.Tensor2D, { temperature }: { temperature: number }): tf.Scalar {
  const batch = a_BO.shape[0];
  const rows = (own: tf.Tensor2D, other: tf.Tensor2D) => {
    const across_BB = tf.div(tf.matMul(own, other, false, true), temperature);
    // A row is no rival of itself: far below every cosine over temperature, and finite.
    const self_BB = tf.mul(tf.eye(batch), 1e9);
    const within_BB = tf.sub(tf.div(tf.matMul(own, own, false, true), temperature), self_BB);
    const log_BC = tf.logSoftmax(tf.concat([across_BB, within_BB], 1));
    return tf.neg(tf.mean(diagonal(tf.slice(log_BC, [0, 0], [batch, batch]))));
  };
  return tf.div(tf.add(rows(a_BO, b_BO), rows(b_BO, a_BO)), 2);
}

function diagonal(square: tf.Tensor): tf.Tensor1D {
  return tf.sum(tf.mul(square, tf.eye(square.shape[0])), 1);
}
