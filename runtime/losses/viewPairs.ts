/**
 * The pairs of a teacher view and a student view that an objective averages over.
 *
 * Views are in one order for both networks, global views first: teacher view g and student view g are the same crop.
 */
import * as tf from '@tensorflow/tfjs-core';

/** `crossView` leaves out the pairs of one and the same view. */
export type ViewPairs = 'all' | 'crossView';

/**
 * Mean inner product `<t_gb, s_vb>` over pairs and images: the mean cosine of unit features, a mean negative cross-entropy of
 * probabilities and log-probabilities.
 *
 * A sum over pairs of inner products is the inner product of two sums, `sum_gv <t_g, s_v> = <sum_g t_g, sum_v s_v>`, from which
 * `crossView` takes `sum_g <t_g, s_g>` away: no [V, G, B] table is built.
 *
 * @param student_VBO V views; @param teacher_GBO the first G of them, G <= V
 */
export function meanOverPairs(
  student_VBO: tf.Tensor3D,
  teacher_GBO: tf.Tensor3D,
  { pairs }: { pairs: ViewPairs },
): tf.Scalar {
  const [views, batch] = student_VBO.shape;
  const [globals] = teacher_GBO.shape;
  const all = tf.sum<tf.Scalar>(tf.mul(tf.sum(student_VBO, 0), tf.sum(teacher_GBO, 0)));
  const count = pairCount(views, globals, pairs) * batch;
  if (pairs === 'all') return tf.div(all, count);
  const sameView_GBO = tf.mul(firstViews(student_VBO, globals), teacher_GBO);
  return tf.div(tf.sub(all, tf.sum(sameView_GBO)), count);
}

/** Pairs of a view of the teacher with a view of the student. */
export function pairCount(views: number, globals: number, pairs: ViewPairs): number {
  return pairs === 'all' ? views * globals : views * globals - Math.min(views, globals);
}

/** The first views of a stack: the student's global ones. */
export function firstViews(features_VBO: tf.Tensor3D, views: number): tf.Tensor3D {
  const [all, batch, width] = features_VBO.shape;
  return all === views ? features_VBO : tf.slice(features_VBO, [0, 0, 0], [views, batch, width]);
}
