/** What the student is to predict: the teacher's scores over prototypes as distributions that are not all the same. */
import * as tf from '@tensorflow/tfjs-core';

/** How collapse is kept away: a moving centre is subtracted from the scores, or all prototypes are used equally. */
export type Centering =
  | { kind: 'ema'; momentum: number }
  /** Three iterations in every recipe. */
  | { kind: 'sinkhornKnopp'; iterations: number };

/**
 * Centred and sharpened scores, eq. (5): `q = softmax((t - c) / tau)`. The centre works against one prototype winning everywhere, the low
 * temperature against all prototypes scoring the same.
 *
 * @param scores [..., K]
 * @param center [1, K]
 */
export function centredDistribution<T extends tf.Tensor>(
  scores: T,
  center: tf.Tensor,
  { temperature }: { temperature: tf.Scalar },
): T {
  return tf.softmax<T>(tf.div(tf.sub(scores, center), temperature));
}

/** The centre of the next step: `c <- m c + (1 - m) mean(t)`. */
export function movedCenter<T extends tf.Tensor>(center: T, mean: tf.Tensor, { momentum }: { momentum: number }): T {
  return tf.add<T>(tf.mul(center, momentum), tf.mul(tf.reshape(mean, center.shape), 1 - momentum));
}

/**
 * Sinkhorn and Knopp's balancing, DINOv2's alternative to a centre: starting from `e^(t / tau)`, prototypes are scaled to equal shares of
 * the batch and samples to equal shares of the prototypes, in turn; the result has a sum of 1 in each row.
 *
 * The scaled matrix is `diag(v) E diag(u)` at any time, so only the vectors u and v are iterated: two matrix-vector products instead of
 * four passes over [N, K]. E takes each prototype's largest score away, which the first scaling of prototypes undoes exactly: no
 * exponential overflows, and no prototype underflows as a whole.
 *
 * @param scores_NK one row per sample
 * @param options.isMember_N 1 for a row that counts, 0 for an empty place, whose result is 0; absent: all count
 */
export function sinkhornKnopp(
  scores_NK: tf.Tensor2D,
  {
    temperature,
    iterations,
    isMember_N,
  }: { temperature: tf.Scalar; iterations: number; isMember_N?: tf.Tensor1D | undefined },
): tf.Tensor2D {
  const [rows, prototypes] = scores_NK.shape;
  const member_N1 = isMember_N ? tf.reshape<tf.Rank.R2>(isMember_N, [rows, 1]) : tf.ones<tf.Rank.R2>([rows, 1]);
  const samples = tf.maximum(tf.sum(member_N1), 1);
  const emptyRow = -1e4;
  const counted_NK = isMember_N ? tf.add(scores_NK, tf.mul(tf.sub(1, member_N1), emptyRow)) : scores_NK;
  const largest_1K = tf.max(counted_NK, 0, true);
  const kernel_NK = tf.mul<tf.Tensor2D>(tf.exp(tf.div(tf.sub(counted_NK, largest_1K), temperature)), member_N1);

  let v_N1 = member_N1;
  let u_K1 = tf.ones<tf.Rank.R2>([prototypes, 1]);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const ofPrototype_K1 = tf.matMul(kernel_NK, v_N1, true, false);
    // Without a single sample there is nothing to scale.
    u_K1 = tf.div<tf.Tensor2D>(1 / prototypes, tf.maximum(ofPrototype_K1, smallest));
    const ofSample_N1 = tf.matMul(kernel_NK, u_K1);
    v_N1 = tf.div<tf.Tensor2D>(member_N1, tf.mul(tf.add(ofSample_N1, tf.sub(1, member_N1)), samples));
  }
  const columns_1K = tf.reshape(u_K1, [1, prototypes]);
  return tf.mul(tf.mul(kernel_NK, columns_1K), tf.mul(v_N1, samples));
}

const smallest = 1e-37;

/** Mean entropy of distributions, in nats: 0, or ln K, means collapse. [..., K] */
export function meanEntropy(probabilities: tf.Tensor): tf.Scalar {
  return tf.neg(tf.mean(tf.sum(tf.mul(probabilities, tf.log(tf.maximum(probabilities, smallest))), -1)));
}
