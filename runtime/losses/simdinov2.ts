import * as tf from '@tensorflow/tfjs-core';
import type { MaskedPatches, Objective } from './objective.ts';
import { simdino, spread } from './simdino.ts';
import type { SimdinoOptions, SimdinoTerms } from './simdino.ts';

export interface PatchOptions {
  /** Weight of the distance between whole views; 1 in the authors' code, 1/2 in eq. (42). */
  viewWeight: number;
  /** Weight of the distance between masked patches; 1 in the authors' code, 1/2 in eq. (42). */
  patchWeight: number;
  /**
   * What an image's distances are averaged over: its masked patches (the authors' code), or all of its patches, the visible ones
   * counting as 0 (eq. (42)), which is about three times less.
   */
  average: 'maskedPatches' | 'allPatches';
}

export interface Simdinov2Terms extends SimdinoTerms {
  /** Mean of `1/2 |z_t - z_s|^2` of masked patches, over images, unmasked ones included with 0. */
  patchDistance: tf.Scalar;
}

/**
 * The SimDINOv2 objective, eq. (16) and (42): that of SimDINO, and the distance between the teacher's features of patches that it sees
 * and the student's guesses where they are masked,
 *
 *     loss = w_v distance + w_p mean_i 1/n_i sum_{masked p} 1/2 |z_t,ip - z_s,ip|^2 - gamma R
 *
 * with n_i the masked patches of image i (or all of them, see `average`). The authors' code minimises this less a constant: the cosine
 * instead of the distance, with w_v = w_p = 1.
 *
 * @param student_VBO unit features of all views, the global ones first
 * @param teacher_GBO unit features of the global views
 */
export function simdinov2(
  student_VBO: tf.Tensor3D,
  teacher_GBO: tf.Tensor3D,
  patches: MaskedPatches,
  { viewWeight, patchWeight, average, ...options }: SimdinoOptions & PatchOptions,
): Simdinov2Terms {
  const { distance, codingRate, teacherStudentCosine, ofViews } = simdino(student_VBO, teacher_GBO, options);
  const patchDistance = meanPatchDistance(patches, average);
  const distances = tf.add(tf.mul(distance, viewWeight), tf.mul(patchDistance, patchWeight));
  return {
    loss: tf.add(distances, spread(student_VBO, teacher_GBO, codingRate, options)),
    distance,
    codingRate,
    teacherStudentCosine,
    ofViews,
    patchDistance,
  };
}

/** Mean distance of the masked patches, over images. */
export function meanPatchDistance(
  { student_IKO, teacher_IKO, isMasked_IK, patches }: MaskedPatches,
  average: PatchOptions['average'],
): tf.Scalar {
  const cosine_IK = tf.sum(tf.mul(student_IKO, teacher_IKO), -1);
  const distance_IK = tf.mul(tf.sub(1, cosine_IK), isMasked_IK);
  const count_I = average === 'allPatches' ? tf.scalar(patches) : tf.maximum(tf.sum(isMasked_IK, 1), 1);
  return tf.mean(tf.div(tf.sum(distance_IK, 1), count_I));
}

/** The objective of a run. */
export function simdinov2Objective(options: SimdinoOptions & PatchOptions): Objective {
  return {
    state: {},
    scalars: [],
    evaluate: ({ student_VBO, teacher_GBO, patches }) => {
      if (!patches) throw new Error('internal: losses.simdinov2: the views were not masked.');
      const { loss, ofViews, ...terms } = simdinov2(student_VBO, teacher_GBO, patches, options);
      return { loss, terms: { ...terms, ...ofViews }, state: {} };
    },
  };
}
