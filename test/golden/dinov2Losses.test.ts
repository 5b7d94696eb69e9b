import * as tf from '@tensorflow/tfjs-core';
import { it } from 'vitest';
import { viewCrossEntropy } from '../../runtime/losses/crossEntropy.ts';
import { ibot } from '../../runtime/losses/ibot.ts';
import { centredDistribution, movedCenter, sinkhornKnopp } from '../../runtime/losses/teacherDistribution.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { compute, precisions, valueAndGradients } from './compute.ts';
import { golden } from './reference.ts';

interface CenteringCase {
  kind: 'cls_centering';
  B: number;
  K: number;
  n_local: number;
  student_temp: number;
  center_momentum: number;
  inputs: { student_global: ReferenceTensor; student_local: ReferenceTensor; teacher: ReferenceTensor }[];
  f64: {
    steps: {
      teacher_temp: number;
      total: number;
      simdino_repo_total: number;
      /** The two global views in each other's place. */
      teacher_probs_swapped: ReferenceTensor;
      grad_global: ReferenceTensor;
      grad_local: ReferenceTensor;
    }[];
    center_after_3_updates: ReferenceTensor;
  };
}

interface SinkhornCase {
  kind: 'sinkhorn_knopp';
  n: number;
  K: number;
  teacher_temp: number;
  teacher_output: ReferenceTensor;
  f64: {
    assignments_3it: ReferenceTensor;
    assignments_1it: ReferenceTensor;
    ibot_variant_3it: ReferenceTensor;
    column_sums_over_batch: ReferenceTensor;
  };
}

interface IbotCase {
  kind: 'ibot_patch_loss';
  images: number;
  N: number;
  K: number;
  teacher_temp_sk: number;
  teacher_temp_centering: number;
  student_temp: number;
  mask: ReferenceTensor;
  student_masked_tokens: ReferenceTensor;
  teacher_masked_tokens: ReferenceTensor;
  f64: {
    loss_sk: number;
    grad_student_sk: ReferenceTensor;
    teacher_probs_sk: ReferenceTensor;
    simdino_repo_loss_sk: number;
    loss_centering_3_steps: ReferenceTensor;
    center_after_3: ReferenceTensor;
  };
}

const scalar = (value: number): ReferenceTensor => ({ shape: [], data: [value] });

golden<{ cases: (CenteringCase | SinkhornCase | IbotCase)[] }>('dinov2_losses', ({ cases }) => {
  for (const [index, c] of cases.entries()) {
    for (const precision of precisions) {
      const isDouble = precision === 'float64';
      const tolerance = isDouble ? tolerances.double : tolerances.singleLoss;
      const gradientTolerance = isDouble ? tolerances.double : tolerances.singleGradient;

      switch (c.kind) {
        case 'cls_centering':
          it(`case ${index}, views with a centre, ${c.inputs.length} steps, ${precision}`, async () => {
            let center: ReferenceTensor = { shape: [1, c.K], data: new Array<number>(c.K).fill(0) };
            for (const [at, expected] of c.f64.steps.entries()) {
              const { student_global, student_local, teacher } = c.inputs[at]!;
              const temperature = scalar(expected.teacher_temp);
              const got = await compute(
                precision,
                { student_global, student_local, teacher, center, temperature },
                (inputs) => {
                  const views = (scores: tf.Tensor) => tf.reshape<tf.Rank.R3>(scores, [-1, c.B, c.K]);
                  const probabilities = centredDistribution(views(inputs['teacher']!), inputs['center']!, {
                    temperature: inputs['temperature'] as tf.Scalar,
                  });
                  const { value, gradients } = valueAndGradients(
                    { global: inputs['student_global']!, local: inputs['student_local']! },
                    ({ global, local }) =>
                      viewCrossEntropy(views(tf.concat([global!, local!], 0)), probabilities, {
                        temperature: c.student_temp,
                      }),
                  );
                  const mean = tf.mean(inputs['teacher']!, 0);
                  return {
                    loss: value,
                    ...gradients,
                    probabilities,
                    center: movedCenter(inputs['center']!, mean, { momentum: c.center_momentum }),
                  };
                },
              );
              const what = (quantity: string) => `step ${at}, ${quantity}`;
              expectClose(what('loss'), got['loss']!, expected.total, tolerance);
              expectClose(what('loss, other arrangement'), got['loss']!, expected.simdino_repo_total, tolerance);
              expectClose(what('gradient, global'), got['global']!, expected.grad_global, gradientTolerance);
              expectClose(what('gradient, local'), got['local']!, expected.grad_local, gradientTolerance);
              const { data } = expected.teacher_probs_swapped;
              const swapped = [...data.slice(data.length / 2), ...data.slice(0, data.length / 2)];
              expectClose(what('probabilities'), got['probabilities']!, swapped, tolerance);
              center = { shape: [1, c.K], data: Array.from(got['center']!) };
            }
            expectClose('centre', center.data, c.f64.center_after_3_updates, tolerance);
          });
          break;

        case 'sinkhorn_knopp':
          it(`case ${index}, Sinkhorn and Knopp, ${c.n} x ${c.K}, ${precision}`, async () => {
            const got = await compute(
              precision,
              { scores: c.teacher_output, temperature: scalar(c.teacher_temp) },
              ({ scores, temperature }) => {
                const balanced = (iterations: number) =>
                  sinkhornKnopp(scores as tf.Tensor2D, { temperature: temperature as tf.Scalar, iterations });
                // Empty places in between and behind, as masked patches have them.
                const withGaps = tf.concat([scores!, tf.mul(scores!, 3)], 1);
                const places = tf.reshape<tf.Rank.R2>(withGaps, [2 * c.n, c.K]);
                const isMember_N = tf.tensor1d(Array.from({ length: 2 * c.n }, (_, row) => (row % 2 === 0 ? 1 : 0)));
                const gaps = sinkhornKnopp(places, {
                  temperature: temperature as tf.Scalar,
                  iterations: 3,
                  isMember_N,
                });
                const three = balanced(3);
                return { three, one: balanced(1), gaps, sums: tf.sum(three, 0) };
              },
            );
            expectClose('three iterations', got['three']!, c.f64.assignments_3it, tolerance);
            expectClose('one iteration', got['one']!, c.f64.assignments_1it, tolerance);
            expectClose('sums over the batch', got['sums']!, c.f64.column_sums_over_batch, tolerance);
            const { shape, data } = c.f64.ibot_variant_3it;
            const spaced = Array.from({ length: 2 * shape[0]! * shape[1]! }, (_, at) => {
              const row = Math.floor(at / c.K);
              return row % 2 === 0 ? data[(row / 2) * c.K + (at % c.K)]! : 0;
            });
            expectClose('three iterations of rows between empty ones', got['gaps']!, spaced, tolerance);
          });
          break;

        case 'ibot_patch_loss':
          it(`case ${index}, masked patches, ${c.images} images, ${precision}`, async () => {
            const { mask, K, images, N } = c;
            const inputs = {
              mask,
              student: inPlaces(c.student_masked_tokens, mask),
              teacher: inPlaces(c.teacher_masked_tokens, mask),
              sharp: scalar(c.teacher_temp_sk),
              centred: scalar(c.teacher_temp_centering),
            };
            const options = { studentTemperature: c.student_temp, average: 'maskedPatches' as const };
            const places = { isMasked_IK: mask, patches: N };
            const balanced = await compute(precision, inputs, ({ mask, student, teacher, sharp }) => {
              const flat = tf.reshape<tf.Rank.R2>(teacher!, [images * N, K]);
              const isMember_N = tf.reshape<tf.Rank.R1>(mask!, [-1]);
              const probabilities = sinkhornKnopp(flat, {
                temperature: sharp as tf.Scalar,
                iterations: 3,
                isMember_N,
              });
              const { value, gradients } = valueAndGradients({ student: student! }, ({ student }) =>
                ibot(
                  {
                    student_IKC: student as tf.Tensor3D,
                    teacher_IKC: tf.reshape(probabilities, [images, N, K]),
                    isMasked_IK: mask as tf.Tensor2D,
                    patches: places.patches,
                  },
                  options,
                ),
              );
              return { loss: value, gradient: gradients['student']!, probabilities };
            });
            expectClose('loss', balanced['loss']!, c.f64.loss_sk, tolerance);
            expectClose('loss, other arrangement', balanced['loss']!, c.f64.simdino_repo_loss_sk, tolerance);
            const gradient = inPlaces(c.f64.grad_student_sk, mask);
            expectClose('gradient', balanced['gradient']!, gradient, gradientTolerance);
            const expected = inPlaces(c.f64.teacher_probs_sk, mask);
            expectClose('probabilities', balanced['probabilities']!, expected, tolerance);

            let center: ReferenceTensor = { shape: [1, K], data: new Array<number>(K).fill(0) };
            for (const [at, loss] of c.f64.loss_centering_3_steps.data.entries()) {
              const got = await compute(precision, { ...inputs, center }, (tensors) => {
                const { mask, student, teacher, centred, center } = tensors;
                const members = tf.reshape(mask!, [images, N, 1]);
                const mean = tf.div(tf.sum(tf.mul(teacher!, members), [0, 1]), tf.sum(mask!));
                return {
                  loss: ibot(
                    {
                      student_IKC: student as tf.Tensor3D,
                      teacher_IKC: centredDistribution(teacher as tf.Tensor3D, center!, {
                        temperature: centred as tf.Scalar,
                      }),
                      isMasked_IK: mask as tf.Tensor2D,
                      patches: N,
                    },
                    options,
                  ),
                  center: movedCenter(center!, mean, { momentum: 0.9 }),
                };
              });
              expectClose(`step ${at}, loss with a centre`, got['loss']!, loss, tolerance);
              center = { shape: [1, K], data: Array.from(got['center']!) };
            }
            expectClose('centre', center.data, c.f64.center_after_3, tolerance);
          });
          break;
      }
    }
  }
});

/** Rows of masked patches, in row-major order of (image, patch), in their places of [I, N, K]; zeros elsewhere. */
function inPlaces({ shape, data }: ReferenceTensor, mask: ReferenceTensor): ReferenceTensor {
  const width = shape[1]!;
  let row = 0;
  const placed = mask.data.flatMap((masked) =>
    masked ? data.slice(row * width, ++row * width) : new Array<number>(width).fill(0),
  );
  return { shape: [...mask.shape, width], data: placed };
}
