/** The parts of the panels that need no browser: curves that grow, colours with contrast. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contrast, ensureContrast, mix, parseColour } from '../../../webview/colour.ts';
import { Curve } from '../../../webview/charts/curve.ts';
import { CurveStore } from '../../../webview/charts/curveStore.ts';
import { restOfLoss, sumOf, termOf } from '../../../webview/charts/derivedCurves.ts';
import { run, series } from '../experiments/fixtureRuns.ts';

const part = (values: number[], from: number) => {
  const whole = series({ value: Float64Array.from(values), from });
  const shifted = whole.step.map((step) => step + from);
  return { ...whole, step: shifted };
};

describe('Curve', () => {
  it('is the same whether its points came at once or in parts, cut and grown again', () => {
    const chunk = fc.record({ values: fc.array(fc.double(), { maxLength: 40 }), back: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1, maxLength: 12 }), (chunks) => {
        const curve = new Curve('a', 'loss');
        let expected: number[] = [];
        for (const { values, back } of chunks) {
          const from = Math.max(0, expected.length - back);
          expected = [...expected.slice(0, from), ...values];
          expect(curve.take(part(values, from))).toBe(true);
          expect([...curve.values]).toEqual(expected);
          expect([...curve.step]).toEqual(expected.map((_, i) => i + 1));
        }
      }),
    );
  });

  it('never writes into columns that it was given', () => {
    const snapshot = series({ value: Float64Array.from([1, 2, 3]) });
    const curve = new Curve('a', 'loss');
    curve.take(snapshot);
    curve.take(part([9, 9], 1));
    expect([...snapshot.value]).toEqual([1, 2, 3]);
    expect([...curve.values]).toEqual([1, 9, 9]);
  });

  it('refuses points that do not follow on', () => {
    const curve = new Curve('a', 'loss');
    curve.take(part([1, 2], 0));
    expect(curve.take(part([5], 3))).toBe(false);
    expect([...curve.values]).toEqual([1, 2]);
  });

  it('draws the new points after an append', () => {
    const curve = new Curve('a', 'loss');
    curve.take(part([1, 2], 0));
    expect(curve.drawn(0.5).values.length).toBe(2);
    curve.take(part([3], 2));
    expect(curve.drawn(0.5).values.length).toBe(3);
    expect([...curve.x('step', { startMs: 0, pauses: [] })]).toEqual([1, 2, 3]);
  });
});

describe('CurveStore', () => {
  it('makes the terms of the loss of what is logged, also after that has grown', () => {
    const store = new CurveStore();
    const config = { method: 'simdino' };
    const of = (metric: string, values: number[], from = 0) => ({ ...part(values, from), metric });
    store.replace(
      [run({ id: 'a', config })],
      [of('codingRate', [10, 20]), of('gamma', [0.5]), of('distance', [1, 2]), of('loss', [-4, -8])],
    );
    const values = (metric: string) => [...store.curve('a', metric)!.values];
    expect(values(termOf('codingRate'))).toEqual([-5, -10]);
    expect(values(restOfLoss)).toEqual([0, 0]);
    expect(values(sumOf([termOf('distance'), termOf('codingRate')]))).toEqual([-4, -8]);
    store.append([], [of('codingRate', [40], 2), of('gamma', [0.25], 1), of('loss', [7], 2)], []);
    expect(values(termOf('codingRate'))).toEqual([-5, -5, -10]);
    // The distance of the third step has not come.
    expect(values(restOfLoss)).toEqual([0, -5, NaN]);
    expect(store.metrics.value.has(restOfLoss)).toBe(false);
    expect(store.curve('gone', restOfLoss)).toBeUndefined();
  });

  it('tells when a delta was missed, and forgets removed runs', () => {
    const store = new CurveStore();
    store.replace([run({ id: 'a' }), run({ id: 'b' })], [part([1], 0)]);
    expect(store.append([], [part([2], 1)], [])).toBe(true);
    expect(store.append([], [part([2], 7)], [])).toBe(false);
    store.append([run({ id: 'b', step: 55 })], [], ['a']);
    expect(store.runs.value.map(({ id, step }) => [id, step])).toEqual([['b', 55]]);
    expect(store.curve('a', 'loss')).toBeUndefined();
  });
});

describe('colours', () => {
  it('reads what CSS writes', () => {
    expect(parseColour('#0af')).toEqual({ r: 0, g: 170, b: 255, a: 1 });
    expect(parseColour(' rgba(1, 2, 3, 0.5)')).toEqual({ r: 1, g: 2, b: 3, a: 0.5 });
    expect(parseColour('rgb(1 2 3 / 50%)')).toEqual({ r: 1, g: 2, b: 3, a: 0.5 });
    expect(parseColour('#11223380')?.a).toBeCloseTo(0.5, 2);
    expect(parseColour('var(--x)')).toBeUndefined();
  });

  it('stand out from any background by the ratio asked for', () => {
    const channel = fc.integer({ min: 0, max: 255 });
    const colour = fc.record({ r: channel, g: channel, b: channel, a: fc.constant(1) });
    fc.assert(
      fc.property(colour, colour, (line, ground) => {
        expect(contrast(ensureContrast(line, ground, 3), ground)).toBeGreaterThanOrEqual(3);
      }),
    );
    const black = { r: 0, g: 0, b: 0, a: 1 };
    const white = { r: 255, g: 255, b: 255, a: 1 };
    expect(contrast(black, white)).toBeCloseTo(21, 10);
    expect(mix(black, white, 0.5)).toEqual({ r: 127.5, g: 127.5, b: 127.5, a: 1 });
  });
});
