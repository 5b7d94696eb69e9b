import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { simdino } from '../../runtime/losses/simdino.ts';
import { l2Normalise } from '../../runtime/ops/l2Normalise.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions, valueAndGradients } from './compute.ts';
import { golden } from './reference.ts';

interface Case {
  B: number;
  d: number;
  ncrops: number;
  n_global: number;
  eps_code: number;
  coeff: number;
  expa_type: 0 | 1;
  unit_normalise_input_first: boolean;
  student_raw: ReferenceTensor;
  teacher_raw: ReferenceTensor;
  f64: {
    loss: number;
    comp: number;
    expa: number;
    grad_student_feat: ReferenceTensor;
    grad_student_raw: ReferenceTensor;
  };
}

golden<{ cases: Case[] }>('simdino_loss', ({ cases }) => {
  for (const c of cases) {
    for (const precision of precisions) {
      const rows = c.unit_normalise_input_first ? 'unit' : 'raw';
      it(`${c.ncrops} views x ${c.B} of ${c.d}, expa_type ${c.expa_type}, ${rows} rows, ${precision}`, async () => {
        const gamma = 1 / c.d + 1 / c.B;
        const got = await compute(precision, { student: c.student_raw, teacher: c.teacher_raw }, (inputs) => {
          const features = (raw: tf.Tensor) =>
            c.unit_normalise_input_first ? l2Normalise(raw, { epsilon: 1e-12 }) : raw;
          const teacher_GBO = tf.reshape<tf.Rank.R3>(features(inputs['teacher']!), [c.n_global, c.B, c.d]);
          const lossOf = (student: tf.Tensor) =>
            simdino(tf.reshape<tf.Rank.R3>(student, [c.ncrops, c.B, c.d]), teacher_GBO, {
              eps: Math.sqrt(c.eps_code),
              // The authors' weight of the similarity: loss / coeff has gamma / coeff.
              gamma: gamma / c.coeff,
              pairs: 'crossView',
              codingRate: { on: c.expa_type === 1 ? 'studentTeacherMean' : 'student', normalise: 'batch', groups: 1 },
            });
          const raw = inputs['student']!;
          const terms = lossOf(features(raw));
          const byRaw = valueAndGradients({ raw }, ({ raw }) => tf.mul(lossOf(features(raw!)).loss, c.coeff));
          const unit = features(raw);
          const byFeatures = valueAndGradients({ unit }, ({ unit }) => tf.mul(lossOf(unit!).loss, c.coeff));
          return {
            distance: terms.distance,
            cosine: terms.teacherStudentCosine,
            expansion: tf.mul(terms.codingRate, gamma),
            loss: byRaw.value,
            gradientRaw: byRaw.gradients['raw']!,
            gradientFeatures: byFeatures.gradients['unit']!,
          };
        });
        const isDouble = precision === 'float64';
        const tolerance = isDouble ? tolerances.double : tolerances.singleLoss;
        // The distance is 1 - cosine; the authors leave the 1 out.
        expectClose('loss', got['loss']![0]! - c.coeff, c.f64.loss, tolerance);
        expectClose('1 - distance', 1 - got['distance']![0]!, c.f64.comp, tolerance);
        expectClose('teacherStudentCosine', got['cosine']!, c.f64.comp, tolerance);
        expectClose('gamma R', got['expansion']!, c.f64.expa, tolerance);
        if (isDouble) {
          expectClose('gradient of features', got['gradientFeatures']!, c.f64.grad_student_feat, tolerances.double);
          expectClose('gradient of raw rows', got['gradientRaw']!, c.f64.grad_student_raw, tolerances.double);
        }
      });
    }
  }
});
