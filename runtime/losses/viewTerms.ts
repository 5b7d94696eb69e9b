/** Distance and coding rate of each view by itself: a view that falls behind, or collapses alone, is lost in the mean. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * `distanceView1` ... for every view of the student, its mean distance to the teacher's other views (to the only one, where there is no
 * other), and `codingRateView1` ... for every global view. Views count from 1, the global ones first.
 *
 * @param student_VBO unit features; @param teacher_GBO likewise
 * @param rates_GN coding rates of the groups of each global view
 */
export function viewTerms(
  student_VBO: tf.Tensor3D,
  teacher_GBO: tf.Tensor3D,
  rates_GN: tf.Tensor2D,
): Record<string, tf.Scalar> {
  const [views, batch] = student_VBO.shape;
  const globals = teacher_GBO.shape[0];
  const toAll_V = tf.sum(tf.mul(student_VBO, tf.sum(teacher_GBO, 0, true)), [1, 2]);
  const own = globals > 1 ? globals : 0;
  const ownPart = tf.sum(tf.mul(tf.slice(student_VBO, [0, 0, 0], [globals, -1, -1]), teacher_GBO), [1, 2]);
  const own_V = own === 0 ? tf.zeros([views]) : tf.pad(ownPart as tf.Tensor1D, [[0, views - globals]]);
  const partners = Array.from({ length: views }, (_, view) => globals - (view < own ? 1 : 0));
  const cosine_V = tf.div(tf.sub(toAll_V, own_V), tf.tensor1d(partners.map((count) => count * batch)));
  return {
    ...numbered('distanceView', tf.sub(1, cosine_V)),
    ...numbered('codingRateView', tf.mean(rates_GN, 1)),
  };
}

function numbered(name: string, values_V: tf.Tensor): Record<string, tf.Scalar> {
  return Object.fromEntries(
    (tf.unstack(values_V) as tf.Scalar[]).map((value, index) => [`${name}${index + 1}`, value]),
  );
}
