import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { simdino } from '../../runtime/losses/simdino.ts';
import { l2Normalise } from '../../runtime/ops/l2Normalise.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions, valueAndGradients } from './compute.ts';
import { golden } from './reference.ts';

interface RankResult {
  loss: number;
  comp: number;
  expa: number;
  grad_student_raw: ReferenceTensor;
}
interface Case {
  world_size: number;
  B_per_rank: number;
  d: number;
  ncrops: number;
  expa_type: 0 | 1;
  eps_code: number;
  student: ReferenceTensor[];
  teacher: ReferenceTensor[];
  f64: { v1_reduce_cov0: RankResult; v1_reduce_cov1: RankResult }[];
}

/** The authors' objective on N processes is one objective over the whole batch, in N groups or in one. */
const conventions = [
  { key: 'v1_reduce_cov0', groupsOf: (c: Case) => c.world_size },
  { key: 'v1_reduce_cov1', groupsOf: () => 1 },
] as const;

golden<{ cases: Case[] }>('distributed', ({ cases }) => {
  for (const c of cases) {
    for (const { key, groupsOf } of conventions) {
      for (const precision of precisions) {
        it(`${c.world_size} processes x ${c.B_per_rank} images, ${key}, ${precision}`, async () => {
          const { world_size: ranks, B_per_rank: images, d } = c;
          const batch = ranks * images;
          const gamma = 1 / d + 1 / batch;
          const inputs = Object.fromEntries([
            ...c.student.map((tensor, rank) => [`student${rank}`, tensor]),
            ...c.teacher.map((tensor, rank) => [`teacher${rank}`, tensor]),
          ]) as Record<string, ReferenceTensor>;
          const got = await compute(precision, inputs, (tensors) => {
            // Process r holds images r*m ... of every view.
            const gathered = (network: string, source: Record<string, tf.Tensor>) => {
              const perRank = c.student.map((_, rank) =>
                tf.reshape(l2Normalise(source[`${network}${rank}`]!, { epsilon: 1e-12 }), [-1, images, d]),
              );
              return tf.concat(perRank, 1) as tf.Tensor3D;
            };
            const lossOf = (students: Record<string, tf.Tensor>) =>
              simdino(gathered('student', students), gathered('teacher', tensors), {
                eps: Math.sqrt(c.eps_code),
                gamma,
                pairs: 'crossView',
                codingRate: {
                  on: c.expa_type === 1 ? 'studentTeacherMean' : 'student',
                  normalise: 'batch',
                  groups: groupsOf(c),
                },
              });
            const students = Object.fromEntries(
              Object.entries(tensors).filter(([name]) => name.startsWith('student')),
            );
            const { value, gradients } = valueAndGradients(students, (variables) => lossOf(variables).loss);
            const { codingRate, distance } = lossOf(students);
            return { loss: value, codingRate, distance, ...gradients };
          });
          const isDouble = precision === 'float64';
          const tolerance = isDouble ? tolerances.double : tolerances.singleLoss;
          const perRank = c.f64.map((rank) => rank[key]);
          const mean = (of: (rank: RankResult) => number) => perRank.reduce((sum, rank) => sum + of(rank), 0) / ranks;
          expectClose('loss', got['loss']![0]! - 1, mean(({ loss }) => loss), tolerance);
          expectClose('distance', 1 - got['distance']![0]!, mean(({ comp }) => comp), tolerance);
          expectClose('gamma R', gamma * got['codingRate']![0]!, mean(({ expa }) => expa), tolerance);
          if (!isDouble) return;
          for (const [rank, { grad_student_raw }] of perRank.entries()) {
            // Averaging over processes divides by their number.
            const averaged = grad_student_raw.data.map((value) => value / ranks);
            expectClose(`gradient of process ${rank}`, got[`student${rank}`]!, averaged, tolerances.double);
          }
        });
      }
    }
  }
});
