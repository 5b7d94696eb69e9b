import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { viewCrossEntropy } from '../../../runtime/losses/crossEntropy.ts';
import { dinov2 } from '../../../runtime/losses/dinov2.ts';
import type { Centering } from '../../../runtime/losses/teacherDistribution.ts';
import { sinkhornKnopp } from '../../../runtime/losses/teacherDistribution.ts';
import { compileFunction } from '../compileFunction.ts';

const [views, globals, batch, prototypes, images, places, patches, width] = [4, 2, 3, 5, 6, 3, 9, 4];
const centerings: Record<Centering['kind'], Centering> = {
  ema: { kind: 'ema', momentum: 0.9 },
  sinkhornKnopp: { kind: 'sinkhornKnopp', iterations: 3 },
};

const numbers = (count: number) =>
  fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: count, maxLength: count });
/** Coordinates away from zero: class tokens have a direction. */
const directions = (count: number) =>
  fc
    .array(fc.double({ min: 0.2, max: 1, noNaN: true }), { minLength: count, maxLength: count })
    .map((data) => data.map((value, at) => ((at * 7919) % 13 < 6 ? -value : value)));
const step = fc.record({
  student: numbers(views * batch * prototypes),
  teacher: numbers(globals * batch * prototypes),
  studentPatches: numbers(images * places * prototypes),
  teacherPatches: numbers(images * places * prototypes),
  classes: directions(globals * batch * width),
});
type Step = Parameters<Parameters<typeof step.map>[0]>[0];
const runs = { numRuns: 20 };

/** Places 0 of every image and 1 of every second one hold a patch; place 2 is empty everywhere. */
const isMasked = Array.from({ length: images * places }, (_, at) => {
  const [image, place] = [Math.floor(at / places), at % places];
  return place === 0 || (place === 1 && image % 2 === 0) ? 1 : 0;
});

function compileLoss(
  kind: Centering['kind'],
  changes: { koleoWeight?: number; koleoGroups?: number; patchWeight?: number } = {},
) {
  const shapes = {
    student: [views, batch, prototypes],
    teacher: [globals, batch, prototypes],
    studentPatches: [images, places, prototypes],
    teacherPatches: [images, places, prototypes],
    classes: [globals, batch, width],
    isMasked: [images, places],
    center: [1, prototypes],
  };
  return compileFunction(shapes, ({ student, teacher, studentPatches, teacherPatches, classes, isMasked, center }) => {
    const termsOf = (student: tf.Tensor, studentPatches: tf.Tensor, classes: tf.Tensor) =>
      dinov2(
        {
          student_VBK: student as tf.Tensor3D,
          teacher_GBK: teacher as tf.Tensor3D,
          studentPatches_IKC: studentPatches as tf.Tensor3D,
          teacherPatches_IKC: teacherPatches as tf.Tensor3D,
        },
        classes as tf.Tensor3D,
        { isMasked_IK: isMasked as tf.Tensor2D, patches },
        { center, patchCenter: center },
        {
          centering: centerings[kind],
          studentTemperature: 0.3,
          teacherTemperature: tf.scalar(0.2),
          koleoWeight: 0.1,
          koleoGroups: 1,
          viewWeight: 1,
          patchWeight: 1,
          average: 'maskedPatches',
          ...changes,
        },
      );
    const variables = [student!, studentPatches!, classes!];
    const { value, grads } = tf
      .engine()
      .gradients(() => termsOf(student!, studentPatches!, classes!).loss, variables, undefined, true);
    const { centers, ...terms } = termsOf(student!, studentPatches!, classes!);
    return {
      ...terms,
      ...(centers as Record<string, tf.Tensor>),
      loss: value,
      gradientStudent: grads[0]!,
      gradientStudentPatches: grads[1]!,
      gradientClasses: grads[2]!,
    };
  });
}

const center = [0.1, -0.2, 0.05, 0, 0.3];
const given = (step: Step) => ({ ...step, isMasked, center });

describe.each(['ema', 'sinkhornKnopp'] as const)('DINOv2, %s', (kind) => {
  it('has the gradient of its finite differences, in double precision', async () => {
    const run = await compileLoss(kind);
    const inputs = ['student', 'studentPatches', 'classes'] as const;
    await fc.assert(
      fc.asyncProperty(step, fc.constantFrom(...inputs), fc.nat(), async (raw, input, pick) => {
        const at = pick % raw[input].length;
        const delta = 1e-6;
        const moved = async (by: number) => {
          const nudged = [...raw[input]];
          nudged[at]! += by;
          return (await run(given({ ...raw, [input]: nudged })))['loss']![0]!;
        };
        const difference = ((await moved(delta)) - (await moved(-delta))) / (2 * delta);
        const got = await run(given(raw));
        const gradient = got[`gradient${input[0]!.toUpperCase()}${input.slice(1)}`]!;
        expect(Math.abs(gradient[at]! - difference)).toBeLessThan(1e-6 * Math.max(1, Math.abs(difference)));
      }),
      runs,
    );
  });

  it('is the sum of its terms', async () => {
    const run = await compileLoss(kind, { koleoWeight: 0.4, patchWeight: 0.5 });
    await fc.assert(
      fc.asyncProperty(step, async (raw) => {
        const { loss, viewCrossEntropy, patchCrossEntropy, koleo } = await run(given(raw));
        const sum = viewCrossEntropy![0]! + 0.5 * patchCrossEntropy![0]! + 0.4 * koleo![0]!;
        expect(loss![0]).toBeCloseTo(sum, 10);
      }),
      runs,
    );
  });

  it('does not look at empty places', async () => {
    const run = await compileLoss(kind);
    await fc.assert(
      fc.asyncProperty(step, numbers(images * places * prototypes), async (raw, other) => {
        const changed = (scores: number[]) =>
          scores.map((value, at) => (isMasked[Math.floor(at / prototypes)] ? value : 5 * other[at]!));
        const before = await run(given(raw));
        const after = await run(
          given({
            ...raw,
            studentPatches: changed(raw.studentPatches),
            teacherPatches: changed(raw.teacherPatches),
          }),
        );
        expect(after['loss']![0]).toBeCloseTo(before['loss']![0]!, 10);
        const gradient = after['gradientStudentPatches']!;
        for (let at = 0; at < gradient.length; at++) {
          if (!isMasked[Math.floor(at / prototypes)]) expect(Math.abs(gradient[at]!)).toBe(0);
        }
        if (kind === 'ema') expect(Array.from(after['patchCenter']!)).toEqual(Array.from(before['patchCenter']!));
      }),
      runs,
    );
  });

  it('stands a step in which nothing is masked', async () => {
    const run = await compileLoss(kind);
    const [raw] = fc.sample(step, 1);
    const got = await run({ ...given(raw!), isMasked: isMasked.map(() => 0) });
    expect(got['patchCrossEntropy']![0]).toBe(0);
    for (const [name, values] of Object.entries(got)) {
      expect(Array.from(values).every(Number.isFinite), name).toBe(true);
    }
    if (kind === 'ema') expect(Array.from(got['patchCenter']!)).toEqual(center);
  });

  it('moves no prototype when the student predicts the teacher exactly', async () => {
    const run = await compileFunction({ scores: [1, batch, prototypes] }, ({ scores }) => {
      // Two views that see the same, with the student's temperature for both.
      const both = tf.tile(scores!, [2, 1, 1]) as tf.Tensor3D;
      const probabilities = tf.softmax<tf.Tensor3D>(tf.div(both, 0.3));
      const { grads } = tf
        .engine()
        .gradients(() => viewCrossEntropy(both, probabilities, { temperature: 0.3 }), [both]);
      return { gradient: grads[0]! };
    });
    await fc.assert(
      fc.asyncProperty(numbers(batch * prototypes), async (scores) => {
        const { gradient } = await run({ scores });
        for (const value of gradient!) expect(Math.abs(value)).toBeLessThan(1e-12);
      }),
      runs,
    );
  });
});

describe('Sinkhorn and Knopp', () => {
  const compile = (iterations: number, temperature: number, precision: 'float64' | 'float32' = 'float64') =>
    compileFunction(
      { scores: [8, prototypes] },
      ({ scores }) => ({
        q: sinkhornKnopp(scores as tf.Tensor2D, { temperature: tf.scalar(temperature), iterations }),
      }),
      { precision },
    );
  const scores = numbers(8 * prototypes);

  it('gives every sample a distribution, and with many iterations every prototype the same share', async () => {
    const run = await compile(200, 0.5);
    await fc.assert(
      fc.asyncProperty(scores, async (scores) => {
        const { q } = await run({ scores });
        for (let row = 0; row < 8; row++) {
          const sum = Array.from(q!.subarray(row * prototypes, (row + 1) * prototypes)).reduce((a, b) => a + b, 0);
          expect(sum).toBeCloseTo(1, 10);
        }
        for (let k = 0; k < prototypes; k++) {
          const share = Array.from({ length: 8 }, (_, row) => q![row * prototypes + k]!).reduce((a, b) => a + b, 0);
          expect(share).toBeCloseTo(8 / prototypes, 4);
        }
      }),
      runs,
    );
  });

  it('does not change when every score of a prototype rises by the same', async () => {
    const run = await compile(3, 0.5);
    await fc.assert(
      fc.asyncProperty(
        scores,
        fc.nat(prototypes - 1),
        fc.double({ min: -3, max: 3, noNaN: true }),
        async (scores, k, by) => {
          const before = await run({ scores });
          const after = await run({ scores: scores.map((value, at) => (at % prototypes === k ? value + by : value)) });
          after['q']!.forEach((value, at) => expect(value).toBeCloseTo(before['q']![at]!, 9));
        },
      ),
      runs,
    );
  });

  it('stays finite in single precision where the plain exponential overflows', async () => {
    const run = await compile(3, 0.04, 'float32');
    const { q } = await run({ scores: Array.from({ length: 8 * prototypes }, (_, at) => ((at * 37) % 11) - 5) });
    expect(Array.from(q!).every(Number.isFinite)).toBe(true);
    // e^(5 / 0.04) is far beyond the largest single-precision number.
    expect(Math.exp(5 / 0.04)).toBeGreaterThan(3.4e38);
  });
});
