import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codingRateBounds } from '../../../configs/derive.ts';
import { simdino } from '../../../runtime/losses/simdino.ts';
import type { SimdinoOptions } from '../../../runtime/losses/simdino.ts';
import { l2Normalise } from '../../../runtime/ops/l2Normalise.ts';
import { compileFunction } from '../compileFunction.ts';

const [views, globals, batch, dim] = [4, 2, 6, 5];

const paper: SimdinoOptions = {
  eps: 0.3,
  gamma: 0.05,
  pairs: 'all',
  codingRate: { on: 'student', normalise: 'group', groups: 1 },
};
const reference: SimdinoOptions = {
  eps: Math.sqrt(0.05),
  gamma: 1 / dim + 1 / batch,
  pairs: 'crossView',
  codingRate: { on: 'studentTeacherMean', normalise: 'batch', groups: 2 },
};
const formulations = { paper, reference };

/** Loss, its terms and its gradient for raw rows, which are brought to unit length first. */
function compileLoss(options: SimdinoOptions) {
  return compileFunction({ student: [views, batch, dim], teacher: [globals, batch, dim] }, ({ student, teacher }) => {
    const unit = (x: tf.Tensor) => l2Normalise(x as tf.Tensor3D, { epsilon: 1e-12 });
    const lossOf = (raw: tf.Tensor) => simdino(unit(raw), unit(teacher!), options);
    const { value, grads } = tf.engine().gradients(() => lossOf(student!).loss, [student!]);
    const { distance, codingRate, teacherStudentCosine } = lossOf(student!);
    return { loss: value, gradient: grads[0]!, distance, codingRate, teacherStudentCosine };
  });
}

/** Rows that are nowhere near zero: a direction to be normalised. */
const rows = (count: number) =>
  fc
    .array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: count * dim, maxLength: count * dim })
    .chain((sizes) =>
      fc
        .array(fc.boolean(), { minLength: count * dim, maxLength: count * dim })
        .map((signs) => sizes.map((size, index) => (signs[index] ? size : -size))),
    );
const features = fc.record({ student: rows(views * batch), teacher: rows(globals * batch) });
const runs = { numRuns: 25 };

/** The same rearrangement of images in every view. */
function reorder(data: number[], order: number[]): number[] {
  const view = batch * dim;
  return data.map((_, index) => {
    const start = index - (index % view);
    const image = Math.floor((index % view) / dim);
    return data[start + order[image]! * dim + (index % dim)]!;
  });
}

/** A rotation in the plane of two coordinates. */
function rotate(data: number[], [first, second]: [number, number], angle: number): number[] {
  const rotated = [...data];
  for (let start = 0; start < data.length; start += dim) {
    const [a, b] = [data[start + first]!, data[start + second]!];
    rotated[start + first] = a * Math.cos(angle) - b * Math.sin(angle);
    rotated[start + second] = a * Math.sin(angle) + b * Math.cos(angle);
  }
  return rotated;
}

for (const [name, options] of Object.entries(formulations)) {
  describe(`simdino, ${name} formulation`, () => {
    it('does not depend on the order of the images within a group', async () => {
      const loss = await compileLoss(options);
      const perGroup = batch / options.codingRate.groups;
      const orders = fc
        .shuffledSubarray(
          Array.from({ length: perGroup }, (_, index) => index),
          { minLength: perGroup },
        )
        .map((order) =>
          Array.from({ length: batch }, (_, image) => {
            const start = image - (image % perGroup);
            return start + order[image % perGroup]!;
          }),
        );
      await fc.assert(
        fc.asyncProperty(features, orders, async ({ student, teacher }, order) => {
          const before = await loss({ student, teacher });
          const after = await loss({ student: reorder(student, order), teacher: reorder(teacher, order) });
          expect(after['loss']![0]).toBeCloseTo(before['loss']![0]!, 10);
        }),
        runs,
      );
    });

    it('does not change when all features are rotated together', async () => {
      const loss = await compileLoss(options);
      const planes = fc
        .shuffledSubarray([0, 1, 2, 3, 4], { minLength: 2, maxLength: 2 })
        .map(([first, second]): [number, number] => [first!, second!]);
      const angles = fc.double({ min: -3, max: 3, noNaN: true });
      await fc.assert(
        fc.asyncProperty(features, planes, angles, async ({ student, teacher }, plane, angle) => {
          const before = await loss({ student, teacher });
          const after = await loss({
            student: rotate(student, plane, angle),
            teacher: rotate(teacher, plane, angle),
          });
          expect(after['loss']![0]).toBeCloseTo(before['loss']![0]!, 10);
          expect(after['codingRate']![0]).toBeCloseTo(before['codingRate']![0]!, 10);
        }),
        runs,
      );
    });

    it('keeps every term within its bounds', async () => {
      const loss = await compileLoss(options);
      const { eps, codingRate } = options;
      const epsilon = eps * (codingRate.normalise === 'batch' ? Math.sqrt(codingRate.groups) : 1);
      const { codingRateMax } = codingRateBounds({ dim, batch, groups: codingRate.groups, epsilon });
      await fc.assert(
        fc.asyncProperty(features, async (raw) => {
          const got = await loss(raw);
          expect(got['distance']![0]).toBeGreaterThanOrEqual(0);
          expect(got['distance']![0]).toBeLessThanOrEqual(2);
          expect(got['codingRate']![0]).toBeGreaterThan(0);
          expect(got['codingRate']![0]).toBeLessThanOrEqual(codingRateMax + 1e-12);
          expect(Math.abs(got['teacherStudentCosine']![0]!)).toBeLessThanOrEqual(1);
          expect(got['loss']![0]).toBeCloseTo(got['distance']![0]! - options.gamma * got['codingRate']![0]!, 12);
        }),
        runs,
      );
    });

    it('penalises collapse: features that agree and differ between images win over features that agree and do not', async () => {
      const loss = await compileLoss(options);
      const direction = (image: number) => Array.from({ length: dim }, (_, axis) => (axis === image % dim ? 1 : 0));
      const everywhere = (ofImage: (image: number) => number[], count: number) =>
        Array.from({ length: count * batch }, (_, row) => ofImage(row % batch)).flat();
      const spread = await loss({ student: everywhere(direction, views), teacher: everywhere(direction, globals) });
      const one = () => direction(0);
      const collapsed = await loss({ student: everywhere(one, views), teacher: everywhere(one, globals) });
      expect(collapsed['distance']![0]).toBeCloseTo(0, 12);
      expect(spread['distance']![0]).toBeCloseTo(0, 12);
      expect(collapsed['codingRate']![0]).toBeLessThan(0.6 * spread['codingRate']![0]!);
      expect(collapsed['loss']![0]).toBeGreaterThan(spread['loss']![0]! + 0.05);
    });

    it('has the gradient of its finite differences, in double precision', async () => {
      const loss = await compileLoss(options);
      await fc.assert(
        fc.asyncProperty(features, fc.nat(views * batch * dim - 1), async ({ student, teacher }, at) => {
          const step = 1e-5;
          const moved = async (by: number) => {
            const nudged = [...student];
            nudged[at]! += by;
            return (await loss({ student: nudged, teacher }))['loss']![0]!;
          };
          const difference = ((await moved(step)) - (await moved(-step))) / (2 * step);
          const { gradient } = await loss({ student, teacher });
          expect(Math.abs(gradient![at]! - difference)).toBeLessThan(1e-8 * Math.max(1, Math.abs(difference)) + 1e-8);
        }),
        runs,
      );
    });
  });
}

describe('simdino, groups', () => {
  it('estimates the coding rate of each group by itself, and averages', async () => {
    const whole = await compileLoss({ ...paper, codingRate: { ...paper.codingRate, groups: 2 } });
    const half = batch / 2;
    const ofHalf = await compileFunction(
      { student: [views, half, dim], teacher: [globals, half, dim] },
      ({ student, teacher }) => {
        const unit = (x: tf.Tensor) => l2Normalise(x as tf.Tensor3D, { epsilon: 1e-12 });
        return { codingRate: simdino(unit(student!), unit(teacher!), paper).codingRate };
      },
    );
    const take = (data: number[], from: number) =>
      data.filter((_, index) => Math.floor((index % (batch * dim)) / dim / half) === from);
    await fc.assert(
      fc.asyncProperty(features, async ({ student, teacher }) => {
        const both = await whole({ student, teacher });
        const parts = await Promise.all(
          [0, 1].map((from) => ofHalf({ student: take(student, from), teacher: take(teacher, from) })),
        );
        const mean = (parts[0]!['codingRate']![0]! + parts[1]!['codingRate']![0]!) / 2;
        expect(both['codingRate']![0]).toBeCloseTo(mean, 10);
      }),
      runs,
    );
  });
});

describe('simdino, shapes that do not fit', () => {
  const zeros = (shape: [number, number, number]) => tf.zeros<tf.Rank.R3>(shape);
  const message = (student: [number, number, number], teacher: [number, number, number], options = paper) => {
    void tf.setBackend('cpu');
    try {
      return tf.tidy(() => String(simdino(zeros(student), zeros(teacher), options).loss.shape));
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('names the tensors and the remedy', () => {
    expect(message([2, 4, 8], [2, 3, 8])).toMatchInlineSnapshot(
      `"losses.simdino: expected teacher [G,4,8] with G <= 2 beside student [2,4,8], got [2,3,8]. Both networks must see the same batch, and the student every view that the teacher sees."`,
    );
    expect(message([1, 4, 8], [1, 4, 8], { ...paper, pairs: 'crossView' })).toMatchInlineSnapshot(
      `"losses.simdino: expected student [V,B,O] with V >= 2 for cross-view pairs, got [1,4,8]. Set crops.global.count to 2."`,
    );
    expect(
      message([2, 6, 8], [2, 6, 8], { ...paper, codingRate: { ...paper.codingRate, groups: 4 } }),
    ).toMatchInlineSnapshot(
      `"losses.simdino: expected a batch divisible by 4 coding-rate groups, got [2,6,8]. Set loss.codingRate.groups to a divisor of train.batchSize."`,
    );
  });
});
