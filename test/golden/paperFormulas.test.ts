import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { gammaOf } from '../../configs/derive.ts';
import { simdino } from '../../runtime/losses/simdino.ts';
import { simdinov2 } from '../../runtime/losses/simdinov2.ts';
import { l2Normalise } from '../../runtime/ops/l2Normalise.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions, valueAndGradients } from './compute.ts';
import { golden } from './reference.ts';

interface Case {
  B: number;
  d: number;
  M_glo: number;
  M_loc: number;
  eps_paper: number;
  gamma: number;
  N_glo: number;
  student_patch_raw: ReferenceTensor;
  teacher_patch_raw: ReferenceTensor;
  mask: ReferenceTensor;
  student_raw: ReferenceTensor;
  teacher_raw: ReferenceTensor;
  f64: {
    logdet_per_view: ReferenceTensor;
    alg1_literal: number;
    eq22_half_distance_half_logdet: number;
    eq22_grad_student_raw: ReferenceTensor;
    alg2_literal: number;
    eq42_half_distance_half_logdet: number;
  };
}
interface Prescription {
  B: number;
  d: number;
  M: number;
  eps_paper: number;
  'eq54_2eps*sqrt(B/(d*M*min))': number;
  'code_active_1/d+1/B': number;
}

golden<{ cases: Case[]; gamma: Prescription[] }>('paper_formulas', ({ cases, gamma }) => {
  for (const c of cases) {
    for (const precision of precisions) {
      it(`Algorithm 1 and eq. (22): B ${c.B}, d ${c.d}, ${c.M_glo} + ${c.M_loc} views, ${precision}`, async () => {
        const got = await compute(precision, { student: c.student_raw, teacher: c.teacher_raw }, (inputs) => {
          const viewsFirst = (raw: tf.Tensor) =>
            tf.transpose(l2Normalise(raw, { epsilon: 1e-12 }), [1, 0, 2]) as tf.Tensor3D;
          const lossOf = (student: tf.Tensor) =>
            simdino(viewsFirst(student), viewsFirst(inputs['teacher']!), {
              eps: c.eps_paper,
              gamma: c.gamma,
              pairs: 'all',
              codingRate: { on: 'student', normalise: 'group', groups: 1 },
            });
          const { value, gradients } = valueAndGradients({ student: inputs['student']! }, (variables) =>
            lossOf(variables['student']!).loss,
          );
          return {
            loss: value,
            codingRate: lossOf(inputs['student']!).codingRate,
            gradient: gradients['student']!,
          };
        });
        const isDouble = precision === 'float64';
        const tolerance = isDouble ? tolerances.double : tolerances.singleLoss;
        const meanLogDet = c.f64.logdet_per_view.data.reduce((sum, value) => sum + value, 0) / c.M_glo;
        expectClose('eq. (22)', got['loss']!, c.f64.eq22_half_distance_half_logdet, tolerance);
        expectClose('Algorithm 1, twice eq. (22)', 2 * got['loss']![0]!, c.f64.alg1_literal, tolerance);
        expectClose('R', got['codingRate']!, meanLogDet / 2, tolerance);
        const gradientTolerance = isDouble ? tolerances.double : tolerances.singleGradient;
        expectClose('gradient', got['gradient']!, c.f64.eq22_grad_student_raw, gradientTolerance);
      });
    }
  }

  for (const c of cases) {
    for (const precision of precisions) {
      it(`Algorithm 2 and eq. (42): B ${c.B}, d ${c.d}, ${c.N_glo} patches, ${precision}`, async () => {
        const inputs = {
          student: c.student_raw,
          teacher: c.teacher_raw,
          studentPatch: c.student_patch_raw,
          teacherPatch: c.teacher_patch_raw,
          mask: c.mask,
        };
        const got = await compute(precision, inputs, ({ student, teacher, studentPatch, teacherPatch, mask }) => {
          const viewsFirst = (raw: tf.Tensor) =>
            tf.transpose(l2Normalise(raw, { epsilon: 1e-12 }), [1, 0, 2]) as tf.Tensor3D;
          const places = (raw: tf.Tensor): tf.Tensor3D =>
            tf.reshape(l2Normalise(raw, { epsilon: 1e-12 }), [-1, c.N_glo, c.d]);
          const patches = {
            student_IKO: places(studentPatch!),
            teacher_IKO: places(teacherPatch!),
            isMasked_IK: tf.reshape<tf.Rank.R2>(mask!, [-1, c.N_glo]),
            patches: c.N_glo,
          };
          const { loss } = simdinov2(viewsFirst(student!), viewsFirst(teacher!), patches, {
            eps: c.eps_paper,
            gamma: c.gamma,
            pairs: 'all',
            codingRate: { on: 'student', normalise: 'group', groups: 1 },
            viewWeight: 0.5,
            patchWeight: 0.5,
            average: 'allPatches',
          });
          return { loss };
        });
        const tolerance = precision === 'float64' ? tolerances.double : tolerances.singleLoss;
        expectClose('eq. (42)', got['loss']!, c.f64.eq42_half_distance_half_logdet, tolerance);
        expectClose('Algorithm 2, twice eq. (42)', 2 * got['loss']![0]!, c.f64.alg2_literal, tolerance);
      });
    }
  }

  for (const { B, d, M, eps_paper, ...prescribed } of gamma) {
    it(`gamma for B ${B}, d ${d}, M ${M}, eps ${eps_paper}`, () => {
      const of = (prescription: 'auto' | 'balanced') =>
        gammaOf({
          loss: {
            preset: 'paper',
            eps: eps_paper,
            gamma: prescription,
            gammaFactor: 1,
            pairs: 'all',
            codingRate: { on: 'student', normalise: 'group', groups: 1 },
          },
          train: { batchSize: B, epochs: 1 },
          projector: { layers: 3, hiddenDim: 2048, outputDim: d },
          crops: { global: { count: 2 }, local: { count: M - 2 } },
        } as Parameters<typeof gammaOf>[0]);
      const exact = { rtol: 1e-12, atol: 0 };
      expectClose('balanced', of('balanced'), prescribed['eq54_2eps*sqrt(B/(d*M*min))'], exact);
      expectClose('auto', of('auto'), prescribed['code_active_1/d+1/B'], exact);
    });
  }
});
