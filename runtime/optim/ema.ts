import * as tf from '@tensorflow/tfjs-core';

/**
 * Moving average of the student: `theta_t <- m theta_t + (1 - m) theta_s`, in the form
 * `theta_s + m (theta_t - theta_s)`, for which m = 0 copies the student exactly.
 *
 * @param momentum m, a scalar tensor
 */
export function ema<T extends tf.Tensor>(teacher: T, student: T, { momentum }: { momentum: tf.Scalar }): T {
  return tf.add(student, tf.mul(momentum, tf.sub(teacher, student))) as T;
}
