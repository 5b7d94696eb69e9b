import * as tf from '@tensorflow/tfjs-core';
import { prototypeScores } from '../models/projector.ts';
import type { Parameters } from '../models/parameters.ts';
import { viewCrossEntropy } from './crossEntropy.ts';
import { ibot } from './ibot.ts';
import { koleoOfViews } from './koleo.ts';
import type { MaskedPatches, Objective, ObjectiveInput } from './objective.ts';
import { simdino } from './simdino.ts';
import type { SimdinoOptions } from './simdino.ts';
import { meanPatchDistance } from './simdinov2.ts';
import type { PatchOptions } from './simdinov2.ts';
import { centredDistribution, meanEntropy, movedCenter, sinkhornKnopp } from './teacherDistribution.ts';
import type { Centering } from './teacherDistribution.ts';

export interface Dinov2Options extends PatchOptions {
  centering: Centering;
  /** Divides the student's scores; 0.1 in every recipe. */
  studentTemperature: number;
  /** Weight of KoLeo; 0.1. */
  koleoWeight: number;
  /** Parts of the batch in each of which KoLeo looks for neighbours; a divisor of it. */
  koleoGroups: number;
}

export interface Dinov2ObjectiveOptions extends Dinov2Options {
  /** Prototypes of whole views and of patches: one number where one head serves both. */
  prototypes: { views: number; patches: number };
  /** How distance and coding rate of the features are measured. They take no part in the loss. */
  measured: SimdinoOptions;
}

/** Scores of a step, [..., K]. */
export interface Dinov2Scores {
  student_VBK: tf.Tensor3D;
  teacher_GBK: tf.Tensor3D;
  studentPatches_IKC: tf.Tensor3D;
  teacherPatches_IKC: tf.Tensor3D;
}

export interface Dinov2Terms {
  loss: tf.Scalar;
  /** DINO's term: cross-entropy between views. */
  viewCrossEntropy: tf.Scalar;
  /** iBOT's term: cross-entropy of masked patches. */
  patchCrossEntropy: tf.Scalar;
  /** Sum over the global views. */
  koleo: tf.Scalar;
  /** Mean entropy of the teacher's distributions of whole views. */
  teacherEntropy: tf.Scalar;
  /** The next centres; none with Sinkhorn and Knopp. */
  centers: { center?: tf.Tensor; patchCenter?: tf.Tensor };
}

/**
 * The DINOv2 objective: DINO between views, iBOT for masked patches, and KoLeo on the student's backbone,
 *
 *     loss = w_v DINO + w_p iBOT + w_k sum_g mean_s KoLeo(f_gs)
 *
 * over the global views g and the parts s of the batch,
 * with w_v = w_p = 1 and w_k = 0.1. The teacher's scores are made into distributions by a centre of their own for views and patches each, or
 * by Sinkhorn and Knopp over all global views of the batch, and over all masked patches. The paper's text has the latter, its authors'
 * default configuration the former. As in DINOv2's code the centre in force is the one before this step.
 *
 * @param classes_GBD the student's class tokens of the global views, as the backbone gives them
 * @param patches where the global views are masked
 * @param centers absent with Sinkhorn and Knopp
 */
export function dinov2(
  { student_VBK, teacher_GBK, studentPatches_IKC, teacherPatches_IKC }: Dinov2Scores,
  classes_GBD: tf.Tensor3D,
  { isMasked_IK, patches }: Pick<MaskedPatches, 'isMasked_IK' | 'patches'>,
  centers: { center?: tf.Tensor | undefined; patchCenter?: tf.Tensor | undefined },
  options: Dinov2Options & { teacherTemperature: tf.Scalar },
): Dinov2Terms {
  const { centering, teacherTemperature: temperature, studentTemperature, koleoWeight, koleoGroups } = options;
  const isMember_N = tf.reshape<tf.Rank.R1>(isMasked_IK, [-1]);
  const views = distribution(teacher_GBK, { centering, temperature, center: centers.center });
  const hidden = distribution(teacherPatches_IKC, {
    centering,
    temperature,
    center: centers.patchCenter,
    isMember_N,
  });
  const ofViews = viewCrossEntropy(student_VBK, views.probabilities, { temperature: studentTemperature });
  const ofPatches = ibot(
    { student_IKC: studentPatches_IKC, teacher_IKC: hidden.probabilities, isMasked_IK, patches },
    { studentTemperature, average: options.average },
  );
  const spread = koleoOfViews(classes_GBD, koleoGroups);
  return {
    loss: tf.addN([
      tf.mul<tf.Scalar>(ofViews, options.viewWeight),
      tf.mul<tf.Scalar>(ofPatches, options.patchWeight),
      tf.mul<tf.Scalar>(spread, koleoWeight),
    ]),
    viewCrossEntropy: ofViews,
    patchCrossEntropy: ofPatches,
    koleo: spread,
    teacherEntropy: meanEntropy(views.probabilities),
    centers: {
      ...(views.center ? { center: views.center } : {}),
      ...(hidden.center ? { patchCenter: hidden.center } : {}),
    },
  };
}

/** The objective of a run. */
export function dinov2Objective({ prototypes, measured, ...options }: Dinov2ObjectiveOptions): Objective {
  const isCentred = options.centering.kind === 'ema';
  return {
    state: isCentred
      ? {
          center: { shape: [1, prototypes.views], dtype: 'float32' },
          patchCenter: { shape: [1, prototypes.patches], dtype: 'float32' },
        }
      : {},
    scalars: ['teacherTemperature'],
    evaluate: (input) => {
      const { student_VBO, teacher_GBO, studentClasses_GBD, patches, state, scalars } = input;
      if (!patches) throw new Error('internal: losses.dinov2: the views were not masked.');
      const { loss, centers, ...terms } = dinov2(
        scoresOf(input, patches),
        studentClasses_GBD,
        patches,
        { center: state['center'], patchCenter: state['patchCenter'] },
        { ...options, teacherTemperature: scalars['teacherTemperature']! },
      );
      const { loss: _, ofViews, ...canonical } = simdino(student_VBO, teacher_GBO, measured);
      const patchDistance = meanPatchDistance(patches, options.average);
      return {
        loss,
        terms: { ...canonical, patchDistance, ...terms, ...ofViews },
        state: centers,
      };
    },
  };
}

function scoresOf(
  { student_VBO, teacher_GBO, studentHead, teacherHead, studentPatchHead, teacherPatchHead }: ObjectiveInput,
  { student_IKO, teacher_IKO }: MaskedPatches,
): Dinov2Scores {
  const scores = (head: Parameters, unit: tf.Tensor3D) => prototypeScores(head, unit) as tf.Tensor3D;
  return {
    student_VBK: scores(studentHead, student_VBO),
    teacher_GBK: scores(teacherHead, teacher_GBO),
    studentPatches_IKC: scores(studentPatchHead, student_IKO),
    teacherPatches_IKC: scores(teacherPatchHead, teacher_IKO),
  };
}

interface DistributionOptions {
  centering: Centering;
  temperature: tf.Scalar;
  center: tf.Tensor | undefined;
  /** 1 for a row that counts, 0 for an empty place. */
  isMember_N?: tf.Tensor1D;
}

function distribution(
  scores: tf.Tensor3D,
  { centering, temperature, center, isMember_N }: DistributionOptions,
): { probabilities: tf.Tensor3D; center?: tf.Tensor } {
  const [first, second, prototypes] = scores.shape;
  const flat_NK = tf.reshape<tf.Rank.R2>(scores, [first * second, prototypes]);
  switch (centering.kind) {
    case 'sinkhornKnopp': {
      const { iterations } = centering;
      const balanced_NK = sinkhornKnopp(flat_NK, { temperature, iterations, isMember_N });
      return { probabilities: tf.reshape(balanced_NK, scores.shape) };
    }
    case 'ema': {
      if (!center) throw new Error('internal: losses.dinov2: centring without a centre.');
      return {
        probabilities: centredDistribution(scores, center, { temperature }),
        center: isMember_N
          ? movedByMembers(center, flat_NK, isMember_N, centering)
          : movedCenter(center, tf.mean(flat_NK, 0), centering),
      };
    }
  }
}

/** The centre moved towards the mean of the rows that count; where none does, it stays. */
function movedByMembers(
  center_1K: tf.Tensor,
  scores_NK: tf.Tensor2D,
  isMember_N: tf.Tensor1D,
  options: { momentum: number },
): tf.Tensor {
  const count = tf.sum(isMember_N);
  const sum_K = tf.sum(tf.mul(scores_NK, tf.reshape(isMember_N, [-1, 1])), 0);
  const moved_1K = movedCenter(center_1K, tf.div(sum_K, tf.maximum(count, 1)), options);
  return tf.where(tf.greater(count, 0), moved_1K, center_1K);
}
