import { describe, expect, it } from 'vitest';
import { bestOf, differingKeys, metricRows } from '../../../experiments/compare.ts';
import { run } from './fixtureRuns.ts';

describe('differingKeys', () => {
  const a = run({ id: 'a', config: { x: 1, same: 'yes', only: true } });
  const b = run({ id: 'b', config: { x: 2, same: 'yes' } });
  const c = run({ id: 'c', config: { x: 1, same: 'yes', only: null } });

  it('lists only keys on which runs disagree and marks who differs from the base', () => {
    expect(differingKeys([a, b, c], 0)).toEqual([
      { key: 'only', values: [true, undefined, null], differs: [false, true, true] },
      { key: 'x', values: [1, 2, 1], differs: [false, true, false] },
    ]);
    expect(differingKeys([a, b, c], 1).map((row) => row.differs)).toEqual([
      [true, false, true],
      [true, false, true],
    ]);
  });

  it('is empty for equal runs and is not fooled by inherited names', () => {
    expect(differingKeys([a, a], 0)).toEqual([]);
    expect(differingKeys([run({ id: 'a', config: { constructor: 1 } }), run({ id: 'b', config: {} })], 0)).toEqual([
      { key: 'constructor', values: [1, undefined], differs: [false, true] },
    ]);
  });
});

describe('metricRows', () => {
  it('takes the best of a run, in the order of the catalogue, and marks the winner', () => {
    const a = run({ id: 'a' });
    const b = run({
      id: 'b',
      last: { loss: NaN, knnTop1: 0.9, custom: 1 },
      best: { knnTop1: { value: 0.9, step: 7 } },
    });
    const rows = metricRows([a, b], 'best');
    expect(rows.map((row) => row.metric)).toEqual(['loss', 'knnTop1', 'custom']);
    expect(rows[0]).toMatchObject({ values: [0.4, NaN], best: [false, false] });
    expect(rows[1]).toMatchObject({ values: [0.72, 0.9], steps: [80, 7], best: [false, true] });
    expect(rows[2]).toMatchObject({ values: [undefined, 1], better: null, best: [false, false] });
    expect(metricRows([a, b], 'last')[1]!.values).toEqual([0.7, 0.9]);
  });
});

describe('bestOf', () => {
  it('knows both directions, ties, and that one value is no contest', () => {
    expect(bestOf([3, 1, 1], 'lower')).toEqual([false, true, true]);
    expect(bestOf([3, Infinity, 1], 'higher')).toEqual([true, false, false]);
    expect(bestOf([3, undefined, NaN], 'higher')).toEqual([false, false, false]);
    expect(bestOf([3, 2], null)).toEqual([false, false]);
  });
});
