import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { meanOverPairs, pairCount } from '../../runtime/losses/viewPairs.ts';
import { simdinov2 } from '../../runtime/losses/simdinov2.ts';
import { l2Normalise } from '../../runtime/ops/l2Normalise.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions, valueAndGradients } from './compute.ts';
import { golden } from './reference.ts';

interface Case {
  B: number;
  d: number;
  n_local: number;
  N_patches: number;
  eps_code: number;
  expa_type: 0 | 1;
  coeff: number;
  dino_loss_weight: number;
  ibot_loss_weight: number;
  student_global_raw: ReferenceTensor;
  student_local_raw: ReferenceTensor;
  teacher_global_raw: ReferenceTensor;
  student_patch_raw: ReferenceTensor;
  teacher_patch_raw: ReferenceTensor;
  mask: ReferenceTensor;
  f64: {
    comp: number;
    expa: number;
    patch_loss: number;
    total: number;
    grad_student_global_raw: ReferenceTensor;
    grad_student_local_raw: ReferenceTensor;
    grad_student_patch_raw: ReferenceTensor;
  };
}
interface DotCase {
  kind: string;
  B: number;
  d: number;
  ncrops: number;
  student: ReferenceTensor;
  teacher: ReferenceTensor;
  f64: { v2_comp: number };
}

const unit = (x: tf.Tensor) => l2Normalise(x, { epsilon: 1e-12 });

golden<{ cases: (Case | DotCase)[] }>('simdinov2_loss', ({ cases }) => {
  for (const c of cases) {
    for (const precision of precisions) {
      const isDouble = precision === 'float64';
      const tolerance = isDouble ? tolerances.double : tolerances.singleLoss;
      if ('kind' in c) {
        it(`${c.kind}, ${precision}`, async () => {
          // Their plain inner product without normalisation; without the exclusion it is still divided by the pairs of different views.
          const got = await compute(precision, { student: c.student, teacher: c.teacher }, ({ student, teacher }) => {
            const views = (x: tf.Tensor) => tf.reshape<tf.Rank.R3>(x, [-1, c.B, c.d]);
            const mean = (pairs: 'all' | 'crossView') => meanOverPairs(views(student!), views(teacher!), { pairs });
            const allOverCross = pairCount(c.ncrops, 2, 'all') / pairCount(c.ncrops, 2, 'crossView');
            return {
              comp: c.kind.startsWith('no_diag') ? tf.mul(mean('all'), allOverCross) : mean('crossView'),
            };
          });
          expectClose('mean inner product', got['comp']!, c.f64.v2_comp, tolerance);
        });
        continue;
      }
      it(`${2 + c.n_local} views x ${c.B} of ${c.d}, ${c.N_patches} patches, expa_type ${c.expa_type}, ${precision}`, async () => {
        const gamma = 1 / c.d + 1 / c.B;
        const got = await compute(
          precision,
          {
            global: c.student_global_raw,
            local: c.student_local_raw,
            teacher: c.teacher_global_raw,
            patch: c.student_patch_raw,
            teacherPatch: c.teacher_patch_raw,
            mask: c.mask,
          },
          ({ global, local, teacher, patch, teacherPatch, mask }) => {
            const views = (x: tf.Tensor) => tf.reshape<tf.Rank.R3>(unit(x), [-1, c.B, c.d]);
            // Every patch has its own place here; only masked ones count.
            const termsOf = (student: Record<string, tf.Tensor>) =>
              simdinov2(
                tf.concat<tf.Tensor3D>([views(student['global']!), views(student['local']!)], 0),
                views(teacher!),
                {
                  student_IKO: unit(student['patch']!) as tf.Tensor3D,
                  teacher_IKO: unit(teacherPatch!) as tf.Tensor3D,
                  isMasked_IK: mask as tf.Tensor2D,
                  patches: c.N_patches,
                },
                {
                  eps: Math.sqrt(c.eps_code),
                  gamma: gamma * c.dino_loss_weight,
                  pairs: 'crossView',
                  codingRate: {
                    on: c.expa_type === 1 ? 'studentTeacherMean' : 'student',
                    normalise: 'batch',
                    groups: 1,
                  },
                  viewWeight: c.dino_loss_weight * c.coeff,
                  patchWeight: c.ibot_loss_weight,
                  average: 'maskedPatches',
                },
              );
            const student = { global: global!, local: local!, patch: patch! };
            const { value, gradients } = valueAndGradients(student, (variables) => termsOf(variables).loss);
            const { distance, codingRate, patchDistance } = termsOf(student);
            return { loss: value, distance, codingRate, patchDistance, ...gradients };
          },
        );
        const { data, shape } = c.mask;
        const [images, patches] = shape as [number, number];
        const maskedImages = Array.from({ length: images }, (_, image) =>
          data.slice(image * patches, (image + 1) * patches).some((masked) => masked === 1),
        ).filter(Boolean).length;
        // Distances are 1 - cosine, masked images alone having patch distances; the authors leave the constants out.
        const patchConstant = maskedImages / images;
        const constant = c.dino_loss_weight * c.coeff + c.ibot_loss_weight * patchConstant;
        expectClose('1 - distance', 1 - got['distance']![0]!, c.f64.comp, tolerance);
        expectClose('gamma R', gamma * got['codingRate']![0]!, c.f64.expa, tolerance);
        const patchLoss = got['patchDistance']![0]! - patchConstant;
        expectClose('patch loss', patchLoss, c.f64.patch_loss, tolerance);
        expectClose('total', got['loss']![0]! - constant, c.f64.total, tolerance);
        if (!isDouble) return;
        for (const name of ['global', 'local', 'patch'] as const) {
          expectClose(`gradient of ${name}`, got[name]!, c.f64[`grad_student_${name}_raw`], tolerance);
        }
      });
    }
  }
});
