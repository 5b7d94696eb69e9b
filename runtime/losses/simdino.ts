import * as tf from '@tensorflow/tfjs-core';
import { errors } from '../../protocol/errors.ts';
import { codingRate } from '../ops/codingRate.ts';
import { l2Normalise } from '../ops/l2Normalise.ts';
import type { Objective } from './objective.ts';
import { regularisation } from './regulariser.ts';
import type { Regulariser } from './regulariser.ts';
import { firstViews, meanOverPairs, pairCount } from './viewPairs.ts';
import type { ViewPairs } from './viewPairs.ts';
import { viewTerms } from './viewTerms.ts';

export interface SimdinoOptions {
  /** The paper's epsilon; the authors' code takes its square. */
  eps: number;
  /** Weight of the coding rate. */
  gamma: number;
  pairs: ViewPairs;
  codingRate: {
    /** Features whose coding rate is maximised; the teacher's part is a constant. */
    on: 'student' | 'studentTeacherMean';
    /** What a group's second-moment matrix is divided by: its own size, or the whole batch. */
    normalise: 'group' | 'batch';
    /** Parts of the batch, in its order, that have a coding rate of their own, or what stands in its place. */
    groups: number;
  };
  /** What is added in the place of `-gamma codingRate`, which is then only measured. */
  regulariser?: Regulariser;
}

export interface SimdinoTerms {
  /** `distance - gamma codingRate`, or what stands in its place. */
  loss: tf.Scalar;
  /** Mean of `1/2 |z_t - z_s|^2 = 1 - cos(z_t, z_s)` over the chosen pairs, eq. (6). */
  distance: tf.Scalar;
  /** R in nats, eq. (7), mean over global views and groups. */
  codingRate: tf.Scalar;
  /** Mean cosine over the pairs of different views, whatever pairs the loss takes. */
  teacherStudentCosine: tf.Scalar;
  /** Distance and coding rate view by view, measured alone: see `viewTerms`. */
  ofViews: Record<string, tf.Scalar>;
}

/**
 * The SimDINO objective, eq. (8) with the estimators of eq. (22):
 *
 *     loss = mean_{pairs, b} 1/2 |z_t - z_s|^2 - gamma mean_{g, group} R_eps(Gamma_g),   R_eps(Gamma) = 1/2 logdet(I + d/eps^2 Gamma)
 *
 * with Gamma_g = 1/m sum_b z z^T (uncentred) over the m images of a group in global view g. No centring, temperature or prototypes.
 *
 * The authors' code minimises `-mean cos - gamma R`: this loss minus 1, with the same gradient. It is
 * `pairs: crossView, on: studentTeacherMean, normalise: batch` with one group per GPU, where Gamma is divided by the whole batch
 * although only a group is summed. The paper is `pairs: all, on: student, normalise: group`. Features are compared by their cosine, as
 * in the authors' code, so that rows need not be of unit length; the coding rate takes them as they are.
 *
 * @param student_VBO features of all views, the global ones first
 * @param teacher_GBO features of the global views; no gradient reaches them
 * @throws shapeMismatch if the shapes do not fit, no pair is left, or the groups do not divide the batch
 */
export function simdino(student_VBO: tf.Tensor3D, teacher_GBO: tf.Tensor3D, options: SimdinoOptions): SimdinoTerms {
  checkShapes(student_VBO, teacher_GBO, options);
  const teacherUnit_GBO = l2Normalise(teacher_GBO, { epsilon: cosineEpsilon });
  const studentUnit_VBO = l2Normalise(student_VBO, { epsilon: cosineEpsilon });
  const cosine = meanOverPairs(studentUnit_VBO, teacherUnit_GBO, { pairs: options.pairs });
  const distance = tf.sub<tf.Scalar>(1, cosine);
  const rates_GN = codingRates(student_VBO, teacher_GBO, options);
  const rate = tf.mean<tf.Scalar>(rates_GN);
  return {
    loss: tf.add(distance, spread(studentUnit_VBO, teacherUnit_GBO, rate, options)),
    distance,
    codingRate: rate,
    teacherStudentCosine:
      options.pairs === 'crossView' || pairCount(student_VBO.shape[0], teacher_GBO.shape[0], 'crossView') === 0
        ? cosine
        : meanOverPairs(studentUnit_VBO, teacherUnit_GBO, { pairs: 'crossView' }),
    ofViews: viewTerms(studentUnit_VBO, teacherUnit_GBO, rates_GN),
  };
}

/** The objective of a run: it carries nothing from step to step. */
export function simdinoObjective(options: SimdinoOptions): Objective {
  return {
    state: {},
    scalars: [],
    evaluate: ({ student_VBO, teacher_GBO }) => {
      const { loss, ofViews, ...terms } = simdino(student_VBO, teacher_GBO, options);
      return { loss, terms: { ...terms, ...ofViews }, state: {} };
    },
  };
}

/** The term that keeps features from becoming one. */
export function spread(
  studentUnit_VBO: tf.Tensor3D,
  teacherUnit_GBO: tf.Tensor3D,
  rate: tf.Scalar,
  { gamma, regulariser, codingRate: { groups } }: Pick<SimdinoOptions, 'gamma' | 'regulariser' | 'codingRate'>,
): tf.Scalar {
  if (!regulariser) return tf.mul(rate, -gamma);
  return regularisation(firstViews(studentUnit_VBO, teacherUnit_GBO.shape[0]), teacherUnit_GBO, regulariser, groups);
}

const cosineEpsilon = 1e-8;

/** R of each of the N groups of the batch in each global view. */
function codingRates(
  student_VBO: tf.Tensor3D,
  teacher_GBO: tf.Tensor3D,
  { eps, codingRate: { on, normalise, groups } }: SimdinoOptions,
): tf.Tensor2D {
  const [globals, batch, width] = teacher_GBO.shape;
  const global_GBO = firstViews(student_VBO, globals);
  const expanded_GBO = on === 'student' ? global_GBO : tf.mul(tf.add(global_GBO, teacher_GBO), 0.5);
  const groupSize = batch / groups;
  const grouped = tf.reshape<tf.Rank.R3>(expanded_GBO, [globals * groups, groupSize, width]);
  const divisor = normalise === 'group' ? groupSize : batch;
  return tf.reshape(codingRate(grouped, { scale: width / (divisor * eps ** 2) }), [globals, groups]);
}

function checkShapes(student: tf.Tensor3D, teacher: tf.Tensor3D, { pairs, codingRate: { groups } }: SimdinoOptions) {
  const [views, batch, width] = student.shape;
  const [globals] = teacher.shape;
  const where = 'losses.simdino';
  if (globals > views || teacher.shape[1] !== batch || teacher.shape[2] !== width) {
    throw errors.shapeMismatch(
      where,
      `teacher [G,${batch},${width}] with G <= ${views} beside student [${student.shape.join(',')}]`,
      teacher.shape,
      'Both networks must see the same batch, and the student every view that the teacher sees.',
    );
  }
  if (pairCount(views, globals, pairs) === 0) {
    throw errors.shapeMismatch(
      where,
      'student [V,B,O] with V >= 2 for cross-view pairs',
      student.shape,
      'Set crops.global.count to 2.',
    );
  }
  if (!Number.isInteger(batch / groups)) {
    throw errors.shapeMismatch(
      where,
      `a batch divisible by ${groups} coding-rate groups`,
      student.shape,
      'Set loss.codingRate.groups to a divisor of train.batchSize.',
    );
  }
}
