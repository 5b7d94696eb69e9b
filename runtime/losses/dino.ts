import * as tf from '@tensorflow/tfjs-core';
import { prototypeScores } from '../models/projector.ts';
import { viewCrossEntropy } from './crossEntropy.ts';
import type { Objective } from './objective.ts';
import { simdino } from './simdino.ts';
import type { SimdinoOptions } from './simdino.ts';
import { centredDistribution, meanEntropy, movedCenter } from './teacherDistribution.ts';

export interface DinoOptions {
  /** Divides the student's scores; 0.1 in every recipe. */
  studentTemperature: number;
  /** Divides the teacher's centred scores; scheduled by epoch. */
  teacherTemperature: tf.Scalar;
  /** Momentum of the centre's moving average; 0.9. */
  centerMomentum: number;
}

export interface DinoTerms {
  /** Cross-entropy of teacher and student, in nats. */
  loss: tf.Scalar;
  /** Mean entropy of the teacher's probabilities, in nats: 0, or ln K, means collapse. */
  teacherEntropy: tf.Scalar;
  /** The centre for the next step. */
  center_1K: tf.Tensor2D;
}

/**
 * DINO's objective, eq. (4) and (5): the student predicts the teacher's distribution over K prototypes,
 *
 *     loss = mean_{g, v != g, b} -sum_k q_gbk ln p_vbk,   q = softmax((t - c) / tau_t),   p = softmax(s / tau_s)
 *
 * What keeps it from collapsing is the centre c, a moving average of the teacher's scores that is subtracted from them, against a
 * low teacher temperature, which sharpens them. The centre in force is the one before this step.
 *
 * @param student_VBK scores of all views, the global ones first
 * @param teacher_GBK scores of the global views
 */
export function dino(
  student_VBK: tf.Tensor3D,
  teacher_GBK: tf.Tensor3D,
  center_1K: tf.Tensor2D,
  { studentTemperature, teacherTemperature, centerMomentum }: DinoOptions,
): DinoTerms {
  const probabilities_GBK = centredDistribution(teacher_GBK, center_1K, { temperature: teacherTemperature });
  return {
    loss: viewCrossEntropy(student_VBK, probabilities_GBK, { temperature: studentTemperature }),
    teacherEntropy: meanEntropy(probabilities_GBK),
    center_1K: movedCenter(center_1K, tf.mean(teacher_GBK, [0, 1]), { momentum: centerMomentum }),
  };
}

export interface DinoObjectiveOptions {
  prototypes: number;
  studentTemperature: number;
  centerMomentum: number;
  /** How the coding rate of the features is measured. It takes no part in the loss. */
  measured: SimdinoOptions;
}

/** The objective of a run: the prototypes' scores on top of the unit features, and a centre that is carried on. */
export function dinoObjective({ prototypes, measured, ...options }: DinoObjectiveOptions): Objective {
  return {
    state: { center: { shape: [1, prototypes], dtype: 'float32' } },
    scalars: ['teacherTemperature'],
    evaluate: ({ student_VBO, teacher_GBO, studentHead, teacherHead, state, scalars }) => {
      const scores = (head: typeof studentHead, unit_VBO: tf.Tensor3D) =>
        prototypeScores(head, unit_VBO) as tf.Tensor3D;
      const { loss, teacherEntropy, center_1K } = dino(
        scores(studentHead, student_VBO),
        scores(teacherHead, teacher_GBO),
        state['center'] as tf.Tensor2D,
        { ...options, teacherTemperature: scalars['teacherTemperature']! },
      );
      const { loss: _, ofViews, ...canonical } = simdino(student_VBO, teacher_GBO, measured);
      return {
        loss,
        terms: { ...canonical, teacherEntropy, ...ofViews },
        state: { center: center_1K },
      };
    },
  };
}
