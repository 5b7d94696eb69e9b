import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { regularisation, type Regulariser } from '../../../runtime/losses/regulariser.ts';
import { simdino } from '../../../runtime/losses/simdino.ts';
import { l2Normalise } from '../../../runtime/ops/l2Normalise.ts';
import { compileFunction } from '../compileFunction.ts';

const [views, globals, batch, dim] = [3, 2, 6, 5];

const regularisers: Regulariser[] = [
  { kind: 'infoNce', weight: 1, temperature: 0.5 },
  { kind: 'uniformity', weight: 1 },
  { kind: 'barlowTwins', weight: 0.1, lambda: 0.0051 },
];

const rows = (count: number) =>
  fc
    .array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: count * dim, maxLength: count * dim })
    .map((data) =>
      // Signs that differ from row to row: no row is near another.
      data.map((value, at) => ((at * 7919) % 13 < 6 ? -value : value)),
    );

describe.each(regularisers)('$kind in the place of the coding rate', (regulariser) => {
  const compile = () =>
    compileFunction({ student: [views, batch, dim], teacher: [globals, batch, dim] }, ({ student, teacher }) => {
      const unit = (x: tf.Tensor) => l2Normalise(x as tf.Tensor3D, { epsilon: 1e-12 });
      const termsOf = (raw: tf.Tensor) =>
        simdino(unit(raw), unit(teacher!), {
          eps: 0.3,
          gamma: 5,
          pairs: 'crossView',
          codingRate: { on: 'student', normalise: 'group', groups: 1 },
          regulariser,
        });
      const { value, grads } = tf.engine().gradients(() => termsOf(student!).loss, [student!]);
      const { distance, codingRate } = termsOf(student!);
      return { loss: value, gradient: grads[0]!, distance, codingRate };
    });

  it('takes its place in the loss, whatever gamma is; the coding rate is measured still', async () => {
    const run = await compile();
    const one = Array.from({ length: views * batch * dim }, (_, at) => (at % dim === 0 ? 1 : 0));
    const collapsed = await run({ student: one, teacher: one.slice(0, globals * batch * dim) });
    expect(collapsed['distance']![0]).toBeCloseTo(0, 12);
    expect(collapsed['codingRate']![0]).toBeGreaterThan(0);
    // Of equal features: ln B; ln 1; one for each of d correlations that are 0 instead of 1.
    const expected = { infoNce: Math.log(batch), uniformity: 0, barlowTwins: 0.1 * dim }[regulariser.kind];
    expect(collapsed['loss']![0]).toBeCloseTo(expected, 9);
  });

  it('penalises collapse', async () => {
    const run = await compile();
    const spread = Array.from({ length: views * batch * dim }, (_, at) =>
      (Math.floor(at / dim) % batch) % dim === at % dim ? 1 : -0.1,
    );
    const one = spread.map((_, at) => (at % dim === 0 ? 1 : 0));
    const lossOf = async (student: number[]) =>
      (await run({ student, teacher: student.slice(0, globals * batch * dim) }))['loss']![0]!;
    expect(await lossOf(one)).toBeGreaterThan((await lossOf(spread)) + 0.1);
  });

  it('is the mean over the parts of the batch, each of which knows its own images alone', async () => {
    const inGroups = (images: number, groups: number) =>
      compileFunction({ student: [globals, images, dim], teacher: [globals, images, dim] }, ({ student, teacher }) => {
        const unit = (x: tf.Tensor) => l2Normalise(x as tf.Tensor3D, { epsilon: 1e-12 });
        return { value: regularisation(unit(student!), unit(teacher!), regulariser, groups) };
      });
    const [whole, divided, part] = [await inGroups(batch, 1), await inGroups(batch, 3), await inGroups(batch / 3, 1)];
    await fc.assert(
      fc.asyncProperty(rows(globals * batch), rows(globals * batch), async (student, teacher) => {
        const of = (features: number[], group: number) =>
          Array.from({ length: globals }, (_, view) => {
            const first = (view * batch + (group * batch) / 3) * dim;
            return features.slice(first, first + (batch / 3) * dim);
          }).flat();
        const parts: number[] = [];
        for (const group of [0, 1, 2])
          parts.push((await part({ student: of(student, group), teacher: of(teacher, group) }))['value']![0]!);
        const mean = (parts[0]! + parts[1]! + parts[2]!) / 3;
        const value = (await divided({ student, teacher }))['value']![0]!;
        expect(value).toBeCloseTo(mean, 9);
        // Fewer rivals, other correlations: not the same as over the whole batch.
        expect(Math.abs(value - (await whole({ student, teacher }))['value']![0]!)).toBeGreaterThan(1e-6);
      }),
      { numRuns: 20 },
    );
  });

  it('has the gradient of its finite differences, in double precision', async () => {
    const run = await compile();
    await fc.assert(
      fc.asyncProperty(
        rows(views * batch),
        rows(globals * batch),
        fc.nat(views * batch * dim - 1),
        async (student, teacher, at) => {
          const step = 1e-5;
          const moved = async (by: number) => {
            const nudged = [...student];
            nudged[at]! += by;
            return (await run({ student: nudged, teacher }))['loss']![0]!;
          };
          const difference = ((await moved(step)) - (await moved(-step))) / (2 * step);
          const { gradient } = await run({ student, teacher });
          expect(Math.abs(gradient![at]! - difference)).toBeLessThan(1e-6 * Math.max(1, Math.abs(difference)));
        },
      ),
      { numRuns: 20 },
    );
  });
});
