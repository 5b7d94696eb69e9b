import * as tf from '@tensorflow/tfjs-core';
import { weightedCrossEntropy } from './crossEntropy.ts';

/** Scores of the masked patches of each image; see `MaskedPatches`. */
export interface PatchScores {
  student_IKC: tf.Tensor3D;
  /** The teacher's distributions; anything at empty places. */
  teacher_IKC: tf.Tensor3D;
  /** 1 where a place holds a masked patch, 0 where it is empty. */
  isMasked_IK: tf.Tensor2D;
  /** Patches of an image, masked or not. */
  patches: number;
}

export interface IbotOptions {
  studentTemperature: number;
  /** What the sum over an image's masked patches is divided by: their number, as in iBOT, or the number of all its patches. */
  average: 'maskedPatches' | 'allPatches';
}

/**
 * iBOT's objective: of a patch that it does not see, the student predicts the teacher's distribution over C prototypes,
 *
 *     loss = 1/I sum_i 1/n_i sum_{masked p} -sum_c q_ipc ln p_ipc
 *
 * with n_i the masked patches of image i. Images without masked patches count with 0, as in DINOv2's code.
 */
export function ibot(
  { student_IKC, teacher_IKC, isMasked_IK, patches }: PatchScores,
  { studentTemperature, average }: IbotOptions,
): tf.Scalar {
  const [images, places, prototypes] = student_IKC.shape;
  const count_I1 = average === 'allPatches' ? tf.scalar(patches) : tf.maximum(tf.sum(isMasked_IK, 1, true), 1);
  const weight_IK = tf.div(isMasked_IK, tf.mul(count_I1, images));
  const flat = (scores_IKC: tf.Tensor3D) => tf.reshape<tf.Rank.R2>(scores_IKC, [images * places, prototypes]);
  return weightedCrossEntropy(flat(student_IKC), flat(teacher_IKC), tf.reshape(weight_IK, [-1]), {
    temperature: studentTemperature,
  });
}
