import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { dino } from '../../runtime/losses/dino.ts';
import { teacherTemperature } from '../../runtime/optim/schedules.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions, valueAndGradients } from './compute.ts';
import { golden } from './reference.ts';

interface Case {
  B: number;
  out_dim: number;
  ncrops: number;
  warmup_teacher_temp: number;
  teacher_temp: number;
  warmup_epochs: number;
  student_temp: number;
  center_momentum: number;
  inputs: { student_output: ReferenceTensor; teacher_output: ReferenceTensor }[];
  f64: {
    teacher_temp_schedule: ReferenceTensor;
    steps: { epoch: number; loss: number; center_after: ReferenceTensor; grad_student: ReferenceTensor }[];
  };
}

golden<{ cases: Case[] }>('dino_loss', ({ cases }) => {
  for (const c of cases) {
    const temperatureAt = (epoch: number) =>
      teacherTemperature(epoch, {
        warmup: c.warmup_teacher_temp,
        final: c.teacher_temp,
        warmupEpochs: c.warmup_epochs,
      });

    it(`temperatures over ${c.warmup_epochs} epochs`, () => {
      const expected = c.f64.teacher_temp_schedule;
      const got = expected.data.map((_, epoch) => temperatureAt(epoch));
      expectClose('temperature', got, expected, tolerances.double);
    });

    for (const precision of precisions) {
      it(`${c.ncrops} views x ${c.B}, ${c.out_dim} prototypes, three steps, ${precision}`, async () => {
        const isDouble = precision === 'float64';
        let center: ReferenceTensor = { shape: [1, c.out_dim], data: new Array<number>(c.out_dim).fill(0) };
        for (const [index, expected] of c.f64.steps.entries()) {
          const { student_output: student, teacher_output: teacher } = c.inputs[index]!;
          const temperature = { shape: [], data: [temperatureAt(expected.epoch)] };
          const got = await compute(precision, { student, teacher, center, temperature }, (inputs) => {
            const views = (scores: tf.Tensor) => tf.reshape<tf.Rank.R3>(scores, [-1, c.B, c.out_dim]);
            const termsOf = (scores: tf.Tensor) =>
              dino(views(scores), views(inputs['teacher']!), inputs['center'] as tf.Tensor2D, {
                studentTemperature: c.student_temp,
                teacherTemperature: inputs['temperature'] as tf.Scalar,
                centerMomentum: c.center_momentum,
              });
            const { value, gradients } = valueAndGradients(
              { student: inputs['student']! },
              ({ student }) => termsOf(student!).loss,
            );
            return { loss: value, gradient: gradients['student']!, center: termsOf(inputs['student']!).center_1K };
          });
          const tolerance = isDouble ? tolerances.double : tolerances.singleLoss;
          expectClose(`step ${index}, loss`, got['loss']!, expected.loss, tolerance);
          expectClose(`step ${index}, centre`, got['center']!, expected.center_after, tolerance);
          const gradientTolerance = isDouble ? tolerances.double : tolerances.singleGradient;
          expectClose(`step ${index}, gradient`, got['gradient']!, expected.grad_student, gradientTolerance);
          center = { shape: center.shape, data: Array.from(got['center']!) };
        }
      });
    }
  }
});
