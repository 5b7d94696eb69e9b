import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { dino } from '../../runtime/losses/dino.ts';
import type { StepProgram, TensorSpec } from '../../runtime/engines/engine.ts';
import { createOnnxEngine } from '../../runtime/engines/onnx/onnxEngine.ts';
import { gatherOverRanks } from '../../runtime/ops/sumOverRanks.ts';
import { inProcessRanks } from '../unit/parallel/inProcessRanks.ts';
import { simdino } from '../../runtime/losses/simdino.ts';
import { sinkhornKnopp } from '../../runtime/losses/teacherDistribution.ts';
import { l2Normalise } from '../../runtime/ops/l2Normalise.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions, toArray, valueAndGradients } from './compute.ts';
import { golden } from './reference.ts';

interface RankResult {
  loss: number;
  comp: number;
  expa: number;
  grad_student_raw: ReferenceTensor;
}
interface Conventions {
  v1_reduce_cov0: RankResult;
  v1_reduce_cov1: RankResult;
  v2_reduce_cov0: RankResult;
  v2_reduce_cov1: RankResult;
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
  /** Prototypes. */
  K: number;
  dino_student: ReferenceTensor[];
  dino_teacher: ReferenceTensor[];
  f64: (Conventions & {
    /** Two steps. */
    dino_center: { losses: ReferenceTensor; centers: ReferenceTensor };
    sinkhorn: ReferenceTensor;
  })[];
}

/** Of the two steps of `dino_center`, and of `sinkhorn`. */
const teacherTemperatures = { center: [0.04, 0.07], sinkhorn: 0.07 };

/** The authors' objective on N processes is one objective over the whole batch, in N groups or in one. */
const conventions = [
  { key: 'v1_reduce_cov0', groupsOf: (c: Case) => c.world_size },
  { key: 'v1_reduce_cov1', groupsOf: () => 1 },
  { key: 'v2_reduce_cov0', groupsOf: (c: Case) => c.world_size },
  { key: 'v2_reduce_cov1', groupsOf: () => 1 },
] as const;

golden<{ cases: Case[] }>('distributed', ({ cases }) => {
  for (const c of cases) {
    for (const { key, groupsOf } of conventions) {
      it(`${c.world_size} processes that each hold their own ${c.B_per_rank} images, ${key}, float64`, async () => {
        const { world_size: ranks, B_per_rank: images, d } = c;
        const perRank = await Promise.all(
          inProcessRanks(ranks).map(async (collective, rank) => {
            const own = createOnnxEngine({ threads: 1, collective });
            const inputs = { student: c.student[rank]!, teacher: c.teacher[rank]! };
            const program: StepProgram = {
              state: {},
              updates: [],
              inputs: Object.fromEntries(
                Object.entries(inputs).map(([name, { shape }]): [string, TensorSpec] => [name, { shape, dtype: 'float32' }]),
              ),
              run: (_, tensors) => {
                // What training does with the features of its own images.
                const whole = (features: tf.Tensor) =>
                  gatherOverRanks<tf.Tensor3D>(tf.reshape(l2Normalise(features, { epsilon: 1e-12 }), [-1, images, d]), {
                    axis: 1,
                    rank,
                    ranks,
                  });
                const { value, gradients } = valueAndGradients({ student: tensors['student']! }, ({ student }) =>
                  simdino(whole(student!), whole(tensors['teacher']!), {
                    eps: Math.sqrt(c.eps_code),
                    gamma: 1 / d + 1 / (ranks * images),
                    pairs: 'crossView',
                    codingRate: {
                      on: c.expa_type === 1 ? 'studentTeacherMean' : 'student',
                      normalise: 'batch',
                      groups: groupsOf(c),
                    },
                  }).loss,
                );
                return { state: {}, outputs: { loss: value, gradient: gradients['student']! } };
              },
            };
            const step = await own.compile(program, { precision: 'float64' });
            const feeds = Object.fromEntries(
              Object.entries(inputs).map(([name, { data }]) => [name, toArray(data, 'float64')]),
            );
            const outputs = await step.run(own.createState({}, {}, { precision: 'float64' }), feeds);
            await own.dispose();
            return outputs;
          }),
        );
        const loss = c.f64.reduce((sum, rank) => sum + rank[key].loss, 0) / ranks;
        for (const [rank, outputs] of perRank.entries()) {
          expectClose('loss', outputs['loss']![0]! - 1, loss, tolerances.double);
          // Averaging over processes divides by their number; ours are shares of the whole from the start.
          const averaged = c.f64[rank]![key].grad_student_raw.data.map((value) => value / ranks);
          expectClose(`gradient of process ${rank}`, outputs['gradient']!, averaged, tolerances.double);
        }
      });
    }
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

    for (const precision of precisions) {
      const tolerance = precision === 'float64' ? tolerances.double : tolerances.singleLoss;
      const { world_size: ranks, B_per_rank: images, K } = c;
      const inputs = Object.fromEntries([
        ...c.dino_student.map((tensor, rank) => [`student${rank}`, tensor]),
        ...c.dino_teacher.map((tensor, rank) => [`teacher${rank}`, tensor]),
      ]) as Record<string, ReferenceTensor>;
      const gathered = (network: string, tensors: Record<string, tf.Tensor>) =>
        tf.concat(
          c.dino_student.map((_, rank) => tf.reshape<tf.Rank.R3>(tensors[`${network}${rank}`]!, [-1, images, K])),
          1,
        );

      it(`${ranks} processes x ${images} images, DINO's centre over two steps, ${precision}`, async () => {
        let center: ReferenceTensor = { shape: [1, K], data: new Array<number>(K).fill(0) };
        for (const [step, temperature] of teacherTemperatures.center.entries()) {
          const got = await compute(precision, { ...inputs, center }, (tensors) => {
            const { loss, center_1K } = dino(
              gathered('student', tensors),
              gathered('teacher', tensors),
              tensors['center'] as tf.Tensor2D,
              { studentTemperature: 0.1, teacherTemperature: tf.scalar(temperature), centerMomentum: 0.9 },
            );
            return { loss, center: center_1K };
          });
          const losses = c.f64.map(({ dino_center }) => dino_center.losses.data[step]!);
          expectClose(`step ${step}, loss`, got['loss']!, losses.reduce((a, b) => a + b, 0) / ranks, tolerance);
          const expected = c.f64[0]!.dino_center.centers.data.slice(step * K, (step + 1) * K);
          expectClose(`step ${step}, centre`, got['center']!, expected, tolerance);
          center = { shape: [1, K], data: Array.from(got['center']!) };
        }
      });

      it(`${ranks} processes x ${images} images, Sinkhorn and Knopp, ${precision}`, async () => {
        const got = await compute(precision, inputs, (tensors) => {
          const rows = c.dino_teacher.map((_, rank) => tensors[`teacher${rank}`]!);
          const temperature = tf.scalar(teacherTemperatures.sinkhorn);
          return { q: sinkhornKnopp(tf.concat(rows, 0) as tf.Tensor2D, { temperature, iterations: 3 }) };
        });
        const expected = c.f64.flatMap(({ sinkhorn }) => sinkhorn.data);
        expectClose('assignments of all processes', got['q']!, expected, tolerance);
      });
    }
  }
});
