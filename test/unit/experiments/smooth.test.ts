import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settledValue } from '../../../experiments/settledValue.ts';
import { extendSmooth, smooth } from '../../../experiments/smooth.ts';

describe('smooth', () => {
  it('is unbiased from the first point on: a constant stays itself', () => {
    const smoothed = smooth(new Float64Array(50).fill(7), 0.99);
    for (const value of smoothed) expect(value).toBeCloseTo(7, 12);
  });

  it('is the weighted mean of the past with weights beta^age', () => {
    const values = Float64Array.from([3, 1, 4, 1, 5]);
    const beta = 0.6;
    const weights = [...values.keys()].map((i) => beta ** (4 - i));
    const expected = weights.reduce((sum, w, i) => sum + w * values[i]!, 0) / weights.reduce((a, b) => a + b);
    expect(smooth(values, beta)[4]).toBeCloseTo(expected, 12);
  });

  it('leaves a gap where a value is not finite and goes on as if it were not there', () => {
    const smoothed = smooth(Float64Array.from([1, NaN, 2, Infinity, 3]), 0.5);
    expect([...smoothed].map(Number.isNaN)).toEqual([false, true, false, true, false]);
    const without = smooth(Float64Array.from([1, 2, 3]), 0.5);
    expect([smoothed[0], smoothed[2], smoothed[4]]).toEqual([...without]);
  });

  it('gives the same whether values come at once or in parts', () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }));
    fc.assert(
      fc.property(values, values, fc.constantFrom(0, 0.5, 0.99), (head, tail, beta) => {
        const whole = smooth(Float64Array.from([...head, ...tail]), beta);
        const first = extendSmooth({ beta, sum: 0, weight: 0 }, Float64Array.from(head));
        const second = extendSmooth(first.state, Float64Array.from(tail));
        expect([...first.smoothed, ...second.smoothed]).toEqual([...whole]);
      }),
    );
  });

  it('with beta 0 is the raw line', () => {
    expect([...smooth(Float64Array.from([1, -2, 3]), 0)]).toEqual([1, -2, 3]);
  });
});

describe('settledValue', () => {
  it('is the median of the last tenth, whatever its outliers', () => {
    const values = Float64Array.from({ length: 100 }, (_, i) => (i === 99 ? 1000 : i));
    expect(settledValue(values)).toBe(94.5);
    values[95] = NaN;
    expect(settledValue(values)).toBe(94);
  });

  it('is the last value of few points, of a diverged run, and of none', () => {
    expect(settledValue(Float64Array.from([3, 1, 2]))).toBe(2);
    expect(settledValue(new Float64Array(50).fill(1, 0, 49).fill(NaN, 49))).toBeNaN();
    expect(settledValue(new Float64Array(0))).toBeUndefined();
  });
});
