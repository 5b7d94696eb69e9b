import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { choleskyInverse } from '../../../runtime/ops/choleskyInverse.ts';
import { codingRate } from '../../../runtime/ops/codingRate.ts';
import { numbers, recorded } from '../engines/oracle.ts';

/** Unit rows around one direction: `spread` 0 is complete collapse. */
function rowsAround(samples: number, width: number, spread: number): number[] {
  const noise = numbers(samples * width, 5);
  return Array.from({ length: samples }, (_, row) => {
    const x = Array.from(
      { length: width },
      (__, column) => Number(column === 0) + spread * noise[row * width + column]!,
    );
    const norm = Math.hypot(...x);
    return x.map((element) => element / norm);
  }).flat();
}

const rateAndGradient = (scale: number) => (z: tf.Tensor | undefined) => {
  const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => tf.sum(codingRate(x as tf.Tensor3D, { scale })))(z!);
  return [value, grad];
};

test.each([
  ['features', 40, 16],
  ['samples', 12, 48],
])(
  'collapse with a small eps stays finite, and as exact as its condition allows, on the matrix of %s',
  async (_side, samples, width) => {
    for (const eps of [0.5, 0.05, 0.001]) {
      for (const spread of [0, 1e-4, 1e-2]) {
        const scale = width / (samples * eps ** 2);
        const z = { shape: [1, samples, width], values: rowsAround(samples, width, spread) };
        const [exact, exactGradient] = await recorded(rateAndGradient(scale), [z], 'float64');
        const [single, singleGradient] = await recorded(rateAndGradient(scale), [z]);
        if (spread === 0) expect(exact![0]).toBeCloseTo(0.5 * Math.log1p(scale * samples), 7);
        expect(Number.isFinite(single![0]) && singleGradient!.every(Number.isFinite)).toBe(true);
        // The condition number of the matrix bounds what single precision can give: above 1e6, the identity is lost in rounding.
        const condition = scale * samples;
        if (condition > 1e6) continue;
        expect(Math.abs(single![0]! - exact![0]!)).toBeLessThan(1e-4 + 1e-7 * condition);
        const norm = Math.hypot(...exactGradient!);
        const error = Math.hypot(...exactGradient!.map((value, index) => value - singleGradient![index]!));
        expect(error / norm).toBeLessThan(Math.min(0.5, 1e-6 * condition));
      }
    }
  },
);

test('the inverse factor takes an ill-conditioned matrix to the identity', async () => {
  const size = 9;
  // Hilbert's matrix, condition number 5e11.
  const hilbert = Array.from(
    { length: size * size },
    (_, index) => 1 / (Math.floor(index / size) + (index % size) + 1),
  );
  const [inverse, halfLogDet] = await recorded(
    (a) => {
      const factor = choleskyInverse(a as tf.Tensor3D);
      return [factor.inverse_GNN, factor.halfLogDet_G];
    },
    [{ shape: [1, size, size], values: hilbert }],
    'float64',
  );
  const at = (row: number, column: number) => inverse![row * size + column]!;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      let sum = 0;
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size; j++) sum += at(row, i) * hilbert[i * size + j]! * at(column, j);
      expect(Math.abs(sum - Number(row === column))).toBeLessThan(1e-4);
      if (column > row) expect(at(row, column)).toBe(0);
    }
  }
  // det of Hilbert's matrix of size 9 is 9.72026e-43.
  expect(halfLogDet![0]).toBeCloseTo(0.5 * Math.log(9.72026e-43), 4);
});

test('a matrix that is not positive definite yields NaN', async () => {
  const [, halfLogDet] = await recorded(
    (a) => Object.values(choleskyInverse(a as tf.Tensor3D)) as tf.Tensor[],
    [{ shape: [1, 2, 2], values: [1, 2, 2, 1] }],
    'float64',
  );
  expect(halfLogDet![0]).toBeNaN();
});

test('groups are independent', async () => {
  const values = numbers(2 * 4 * 3, 7);
  const rate = (z: tf.Tensor | undefined) => codingRate(z as tf.Tensor3D, { scale: 2 });
  const [both] = await recorded(rate, [{ shape: [2, 4, 3], values }], 'float64');
  const [first] = await recorded(rate, [{ shape: [1, 4, 3], values: values.slice(0, 12) }], 'float64');
  const [second] = await recorded(rate, [{ shape: [1, 4, 3], values: values.slice(12) }], 'float64');
  expect(both![0]).toBeCloseTo(first![0]!, 12);
  expect(both![1]).toBeCloseTo(second![0]!, 12);
});
