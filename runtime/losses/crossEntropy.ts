/** Cross-entropies of the distributions over prototypes that DINO, DINOv2 and iBOT compare. */
import * as tf from '@tensorflow/tfjs-core';
import { withGradient } from '../ops/withGradient.ts';
import { meanOverPairs, pairCount } from './viewPairs.ts';

/**
 * Mean over pairs of different views and images of `-sum_k q_gbk ln p_vbk`, p = softmax(s / tau).
 *
 * With 65,536 prototypes the scores are the largest tensors of a step, so the gradient is written out rather than taped:
 * `dL/ds_vb = (n_v p_vb - Q_vb) / (tau pairs B)`, where view v has n_v partners and Q_vb is the sum of their probabilities.
 *
 * @param student_VBK scores of all views, the global ones first
 * @param teacher_GBK probabilities, each row with a sum of 1; a constant as far as the gradient is concerned
 */
export function viewCrossEntropy(
  student_VBK: tf.Tensor3D,
  teacher_GBK: tf.Tensor3D,
  { temperature }: { temperature: number },
): tf.Scalar {
  const [views, batch] = student_VBK.shape;
  const [globals] = teacher_GBK.shape;
  const terms = pairCount(views, globals, 'crossView') * batch;
  return withGradient([student_VBK], {
    forward() {
      const log_VBK = tf.logSoftmax<tf.Tensor3D>(tf.div(student_VBK, temperature));
      return {
        output: tf.neg(meanOverPairs(log_VBK, teacher_GBK, { pairs: 'crossView' })),
        saved: [log_VBK, teacher_GBK],
      };
    },
    backward(dy, [log_VBK, kept_GBK]) {
      const sum_1BK = tf.sum(kept_GBK, 0, true);
      const sameView_GBK = tf.sub(sum_1BK, kept_GBK);
      const rest = views - globals;
      const targets_VBK = rest === 0 ? sameView_GBK : tf.concat([sameView_GBK, tf.tile(sum_1BK, [rest, 1, 1])], 0);
      const partners_V = tf.tensor1d(Array.from({ length: views }, (_, view) => globals - (view < globals ? 1 : 0)));
      const predicted_VBK = tf.mul(tf.exp(log_VBK), tf.reshape(partners_V, [views, 1, 1]));
      return [tf.mul(tf.sub(predicted_VBK, targets_VBK), tf.mul(dy, 1 / (temperature * terms)))];
    },
  });
}

/**
 * Weighted sum over rows of cross-entropies, `sum_n w_n (-sum_k q_nk ln p_nk)`, p = softmax(s / tau), with the gradient
 * `dL/ds_n = w_n (p_n - q_n) / tau`. A row of weight 0 counts for nothing, whatever it holds.
 *
 * @param student_NK scores
 * @param teacher_NK probabilities, each row of a weight other than 0 with a sum of 1; a constant
 */
export function weightedCrossEntropy(
  student_NK: tf.Tensor2D,
  teacher_NK: tf.Tensor2D,
  weight_N: tf.Tensor1D,
  { temperature }: { temperature: number },
): tf.Scalar {
  const weight_N1 = tf.reshape(weight_N, [-1, 1]);
  return withGradient([student_NK], {
    forward() {
      const log_NK = tf.logSoftmax<tf.Tensor2D>(tf.div(student_NK, temperature));
      const entropy_N1 = tf.neg(tf.sum(tf.mul(teacher_NK, log_NK), 1, true));
      return { output: tf.sum<tf.Scalar>(tf.mul(entropy_N1, weight_N1)), saved: [log_NK, teacher_NK, weight_N1] };
    },
    backward(dy, [log_NK, kept_NK, keptWeight_N1]) {
      const difference_NK = tf.sub(tf.exp(log_NK), kept_NK);
      return [tf.mul(difference_NK, tf.mul(keptWeight_N1, tf.div(dy, temperature)))];
    },
  });
}
