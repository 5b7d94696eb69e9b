import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimate, nearest } from '../../../experiments/decimate.ts';
import { indexExtremes, rangeExtremes } from '../../../experiments/extremes.ts';

const value = fc.oneof(
  { weight: 12, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
);
const column = fc.array(value, { minLength: 0, maxLength: 700 }).map((values) => Float64Array.from(values));

describe('rangeExtremes', () => {
  it('finds what a scan finds, over any range', () => {
    fc.assert(
      fc.property(column, fc.nat(700), fc.nat(700), (values, a, b) => {
        const [from, to] = [Math.min(a, b, values.length), Math.min(Math.max(a, b), values.length)];
        const part = [...values.slice(from, to)];
        const finite = part.filter(Number.isFinite);
        const found = rangeExtremes(indexExtremes(values), from, to);
        expect(found.low < 0 ? null : values[found.low]).toEqual(finite.length ? Math.min(...finite) : null);
        expect(found.high < 0 ? null : values[found.high]).toEqual(finite.length ? Math.max(...finite) : null);
        const gap = part.findIndex((v) => !Number.isFinite(v));
        expect(found.gap).toBe(gap < 0 ? -1 : from + gap);
      }),
    );
  });

  it('uses several levels on a long column', () => {
    const values = Float64Array.from({ length: 300_000 }, (_, i) => Math.sin(i));
    values[250_001] = 9;
    values[17] = -9;
    values[123_456] = NaN;
    const extremes = indexExtremes(values);
    expect(extremes.levels.length).toBe(3);
    expect(rangeExtremes(extremes, 0, 300_000)).toEqual({ low: 17, high: 250_001, gap: 123_456 });
    expect(rangeExtremes(extremes, 123_457, 250_001).gap).toBe(-1);
  });
});

describe('decimate', () => {
  const steps = (n: number) => Float64Array.from({ length: n }, (_, i) => i);

  it('keeps the extremes and a gap of every bucket, in order, within the budget', () => {
    fc.assert(
      fc.property(column, fc.integer({ min: 1, max: 40 }), fc.nat(700), fc.nat(700), (values, buckets, a, b) => {
        const x = steps(values.length);
        const window = { from: Math.min(a, b), to: Math.max(a, b) + 1 };
        const { indices, downsampled, total } = decimate(x, indexExtremes(values), window, buckets);
        expect(indices.length).toBeLessThanOrEqual(5 * buckets + 2);
        for (let i = 1; i < indices.length; i++) expect(indices[i]!).toBeGreaterThan(indices[i - 1]!);
        const inside = [...x.keys()].filter((i) => i >= window.from && i <= window.to);
        expect(total).toBe(inside.length);
        const shown = [...indices].filter((i) => i >= window.from && i <= window.to);
        const finite = (positions: number[]) => positions.map((i) => values[i]!).filter(Number.isFinite);
        if (finite(inside).length > 0) {
          expect(Math.max(...finite(shown))).toBe(Math.max(...finite(inside)));
          expect(Math.min(...finite(shown))).toBe(Math.min(...finite(inside)));
        }
        expect(shown.some((i) => !Number.isFinite(values[i]!))).toBe(inside.some((i) => !Number.isFinite(values[i]!)));
        if (!downsampled) expect(shown).toEqual(inside);
      }),
    );
  });

  it('keeps a spike of one step in a million, wherever the window is', () => {
    const values = new Float64Array(1_000_000).fill(1);
    values[654_321] = 100;
    const extremes = indexExtremes(values);
    const x = steps(values.length);
    for (const window of [
      { from: 0, to: 1e6 },
      { from: 600_000, to: 700_000 },
      { from: 654_000, to: 655_000 },
    ]) {
      const { indices } = decimate(x, extremes, window, 200);
      expect([...indices].map((i) => values[i])).toContain(100);
    }
  });

  it('gives all points once the window holds few enough', () => {
    const values = Float64Array.from({ length: 10_000 }, (_, i) => i);
    const { indices, downsampled } = decimate(steps(10_000), indexExtremes(values), { from: 50, to: 60 }, 100);
    expect(downsampled).toBe(false);
    expect([...indices]).toEqual(Array.from({ length: 13 }, (_, i) => 49 + i));
  });

  it('takes repeated x', () => {
    const x = new Float64Array(1000).fill(5);
    const values = Float64Array.from({ length: 1000 }, (_, i) => (i === 500 ? -3 : i));
    const { indices } = decimate(x, indexExtremes(values), { from: 0, to: 10 }, 4);
    expect([...indices]).toEqual([0, 500, 999]);
  });
});

describe('nearest', () => {
  it('is the position with the smallest distance', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1 }), fc.integer(), (list, target) => {
        const x = Float64Array.from(list).sort();
        const distance = Math.abs(x[nearest(x, target)]! - target);
        expect(distance).toBe(Math.min(...[...x].map((v) => Math.abs(v - target))));
      }),
    );
    expect(nearest(new Float64Array(0), 3)).toBe(-1);
  });
});
