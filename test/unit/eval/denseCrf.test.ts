import { describe, expect, test } from 'vitest';
import { denseCrf, holesFilled } from '../../../runtime/eval/maskCut/denseCrf.ts';
import { permutohedralFilter } from '../../../runtime/eval/maskCut/permutohedral.ts';

describe('the permutohedral lattice', () => {
  for (const dimensions of [1, 2, 5]) {
    test(`filters like a Gaussian of ${dimensions} dimensions`, () => {
      let state = 11;
      const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
      const points = 1500;
      const positions = Float32Array.from({ length: points * dimensions }, () => 6 * random());
      const values = Float32Array.from({ length: points }, (_, at) => Math.sin(positions[at * dimensions]!));
      const filtered = permutohedralFilter(positions, dimensions)(values);
      const ones = permutohedralFilter(positions, dimensions)(new Float32Array(points).fill(1));
      let [error, size] = [0, 0];
      for (let a = 0; a < points; a++) {
        let [sum, weights] = [0, 0];
        for (let b = 0; b < points; b++) {
          let square = 0;
          for (let at = 0; at < dimensions; at++)
            square += (positions[a * dimensions + at]! - positions[b * dimensions + at]!) ** 2;
          const weight = Math.exp(-square / 2);
          sum += weight * values[b]!;
          weights += weight;
        }
        error += (sum / weights - filtered[a]! / ones[a]!) ** 2;
        size += (sum / weights) ** 2;
      }
      // The lattice is an approximation; what it is used for are normalised averages.
      expect(Math.sqrt(error / size)).toBeLessThan(0.12);
    });
  }
});

describe('the random field', () => {
  const [widthPx, heightPx] = [60, 40];
  // A bright disk on dark ground.
  const isInside = (at: number) => ((at % widthPx) - 30) ** 2 + (Math.floor(at / widthPx) - 20) ** 2 < 144;
  const data = Uint8Array.from({ length: widthPx * heightPx * 3 }, (_, at) =>
    isInside(Math.floor(at / 3)) ? 220 : 40 + (at % 5),
  );
  const disk = Uint8Array.from({ length: widthPx * heightPx }, (_, at) => (isInside(at) ? 1 : 0));

  test('pulls a coarse mask to the outline of what it covers', () => {
    // Blocks of eight pixels, as patches are.
    const coarse = Uint8Array.from(disk, (_, at) => {
      const [x, y] = [at % widthPx, Math.floor(at / widthPx)];
      return isInside((8 * Math.floor(y / 8) + 4) * widthPx + 8 * Math.floor(x / 8) + 4) ? 1 : 0;
    });
    const wrong = (mask: Uint8Array) => mask.reduce((sum, value, at) => sum + (value === disk[at] ? 0 : 1), 0);
    const refined = denseCrf({ widthPx, heightPx, data }, coarse);
    expect(wrong(coarse)).toBeGreaterThan(60);
    expect(wrong(refined)).toBeLessThan(6);
  });

  test('has its holes filled, bays left open', () => {
    const ring = Uint8Array.from('0000000' + '0111110' + '0100010' + '0100010' + '0110110' + '0000000', Number);
    expect(holesFilled(ring, { widthPx: 7, heightPx: 6 })).toEqual(ring);
    const closed = Uint8Array.from(ring);
    closed[4 * 7 + 3] = 1;
    expect(holesFilled(closed, { widthPx: 7, heightPx: 6 }).reduce((a, b) => a + b)).toBe(20);
  });
});
