import * as tf from '@tensorflow/tfjs-core';

/**
 * Moving average of the student: `theta_t <- m theta_t + (1 - m) theta_s`, as `theta_t + (1 - m) (theta_s - theta_t)`, for which
 * m = 1 leaves the teacher exactly as it was.
 *
 * @param momentum m, a scalar tensor
 */
export function ema<T extends tf.Tensor>(teacher: T, student: T, { momentum }: { momentum: tf.Scalar }): T {
  return tf.add<T>(teacher, tf.mul(tf.sub(1, momentum), tf.sub(student, teacher)));
}
