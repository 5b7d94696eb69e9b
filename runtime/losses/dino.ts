import * as tf from '@tensorflow/tfjs-core';
import { prototypeScores } from '../models/projector.ts';
import { withGradient } from '../ops/withGradient.ts';
import type { Objective } from './objective.ts';
import { simdino } from './simdino.ts';
import type { SimdinoOptions } from './simdino.ts';
import { meanOverPairs, pairCount } from './viewPairs.ts';

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
  const teacherLog_GBK = tf.logSoftmax(tf.div(tf.sub(teacher_GBK, center_1K), teacherTemperature));
  const probabilities_GBK = tf.exp(teacherLog_GBK) as tf.Tensor3D;
  const entropies_GB = tf.neg(tf.sum(tf.mul(probabilities_GBK, teacherLog_GBK), -1));
  const batchCenter_1K = tf.reshape(tf.mean(teacher_GBK, [0, 1]), center_1K.shape);
  return {
    loss: crossEntropy(student_VBK, probabilities_GBK, { temperature: studentTemperature }),
    teacherEntropy: tf.mean(entropies_GB),
    center_1K: tf.add(tf.mul(center_1K, centerMomentum), tf.mul(batchCenter_1K, 1 - centerMomentum)),
  };
}

/**
 * Mean over pairs of different views and images of `-sum_k q_gbk ln p_vbk`, p = softmax(s / tau).
 *
 * With 65,536 prototypes the scores are the largest tensors of a step, so the gradient is written out rather than taped:
 * `dL/ds_vb = (n_v p_vb - Q_vb) / (tau pairs B)`, where view v has n_v partners and Q_vb is the sum of their probabilities.
 */
function crossEntropy(
  student_VBK: tf.Tensor3D,
  teacher_GBK: tf.Tensor3D,
  { temperature }: { temperature: number },
): tf.Scalar {
  const [views, batch] = student_VBK.shape;
  const [globals] = teacher_GBK.shape;
  const terms = pairCount(views, globals, 'crossView') * batch;
  return withGradient([student_VBK], {
    forward() {
      const log_VBK = tf.logSoftmax<tf.Tensor3D>(tf.div(student_VBK, temperature));
      return { output: tf.neg(meanOverPairs(log_VBK, teacher_GBK, { pairs: 'crossView' })), saved: [log_VBK] };
    },
    backward(dy, [log_VBK]) {
      const sum_1BK = tf.sum(teacher_GBK, 0, true);
      const sameView_GBK = tf.sub(sum_1BK, teacher_GBK);
      const rest = views - globals;
      const targets_VBK = rest === 0 ? sameView_GBK : tf.concat([sameView_GBK, tf.tile(sum_1BK, [rest, 1, 1])], 0);
      const partners_V = tf.tensor1d(Array.from({ length: views }, (_, view) => globals - (view < globals ? 1 : 0)));
      const predicted_VBK = tf.mul(tf.exp(log_VBK), tf.reshape(partners_V, [views, 1, 1]));
      return [tf.mul(tf.sub(predicted_VBK, targets_VBK), tf.mul(dy, 1 / (temperature * terms)))];
    },
  });
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
      const { distance, codingRate, teacherStudentCosine } = simdino(student_VBO, teacher_GBO, measured);
      return {
        loss,
        terms: { distance, codingRate, teacherStudentCosine, teacherEntropy },
        state: { center: center_1K },
      };
    },
  };
}
