import fc from 'fast-check';
import { expect, it } from 'vitest';
import { effectiveRank } from '../../../runtime/eval/effectiveRank.ts';
import { symmetricEigenvalues } from '../../../runtime/eval/symmetricEigenvalues.ts';

const sorted = (values: Float64Array) => Array.from(values).sort((a, b) => a - b);

it('finds the eigenvalues of known matrices', () => {
  expect(sorted(symmetricEigenvalues([2], 1))).toEqual([2]);
  const second = sorted(symmetricEigenvalues([2, 1, 1, 2], 2));
  expect(second[0]).toBeCloseTo(1, 12);
  expect(second[1]).toBeCloseTo(3, 12);
  // The path graph's Laplacian: 2 - 2 cos(pi k / n).
  const n = 9;
  const laplacian = Array.from({ length: n * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    if (row === column) return row === 0 || row === n - 1 ? 1 : 2;
    return Math.abs(row - column) === 1 ? -1 : 0;
  });
  sorted(symmetricEigenvalues(laplacian, n)).forEach((value, k) => {
    expect(value).toBeCloseTo(2 - 2 * Math.cos((Math.PI * k) / n), 12);
  });
});

it('keeps trace, squares and cubes of any symmetric matrix', () => {
  const matrices = fc.integer({ min: 1, max: 12 }).chain((size) =>
    fc
      .array(fc.double({ min: -4, max: 4, noNaN: true }), { minLength: size * size, maxLength: size * size })
      .map((data) => ({
        size,
        matrix: data.map((_, at) => data[Math.min(at, (at % size) * size + Math.floor(at / size))]!),
      })),
  );
  fc.assert(
    fc.property(matrices, ({ size, matrix }) => {
      const eigenvalues = symmetricEigenvalues(matrix, size);
      let powered = matrix;
      for (const power of [1, 2, 3]) {
        const trace = Array.from({ length: size }, (_, i) => powered[i * size + i]!).reduce((a, b) => a + b, 0);
        const sum = eigenvalues.reduce((total, value) => total + value ** power, 0);
        expect(Math.abs(sum - trace)).toBeLessThan(1e-9 * (1 + Math.abs(trace) + size * 100 ** power));
        powered = product(powered, matrix, size);
      }
    }),
  );
});

it('is 1 for a collapsed set, the number of rows or columns for an even one, and ignores scale', () => {
  const collapsed = Float32Array.from({ length: 40 }, (_, at) => (at % 4) + 1);
  expect(effectiveRank({ features: collapsed, rows: 10, width: 4 })).toBeCloseTo(1, 6);
  const identity = Float32Array.from({ length: 25 }, (_, at) => (at % 6 === 0 ? 3 : 0));
  expect(effectiveRank({ features: identity, rows: 5, width: 5 })).toBeCloseTo(5, 6);
  expect(effectiveRank({ features: identity.subarray(0, 15), rows: 3, width: 5 })).toBeCloseTo(3, 6);
  expect(effectiveRank({ features: new Float32Array(8), rows: 2, width: 4 })).toBe(0);
});

it('is the same through rows and through columns', () => {
  const features = Float32Array.from({ length: 42 }, (_, at) => Math.sin(at * at));
  const transposed = Float32Array.from({ length: 42 }, (_, at) => features[(at % 6) * 7 + Math.floor(at / 6)]!);
  expect(effectiveRank({ features, rows: 6, width: 7 })).toBeCloseTo(
    effectiveRank({ features: transposed, rows: 7, width: 6 }),
    9,
  );
});

function product(a: number[], b: number[], size: number): number[] {
  return Array.from({ length: size * size }, (_, at) => {
    const [row, column] = [Math.floor(at / size), at % size];
    let sum = 0;
    for (let k = 0; k < size; k++) sum += a[row * size + k]! * b[k * size + column]!;
    return sum;
  });
}
