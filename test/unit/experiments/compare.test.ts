import { describe, expect, it } from 'vitest';
import {
  bestOf,
  bestShown,
  differingKeys,
  metricRows,
  objectiveDifferences,
  rankedBy,
} from '../../../experiments/compare.ts';
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
  it('takes the best of a run, in the order of the catalogue', () => {
    const a = run({ id: 'a' });
    const b = run({
      id: 'b',
      last: { loss: NaN, knnTop1: 0.9, custom: 1 },
      best: { knnTop1: { value: 0.9, step: 7 } },
    });
    const rows = metricRows([a, b], 'best');
    expect(rows.map((row) => row.metric)).toEqual(['loss', 'knnTop1', 'custom']);
    expect(rows.map((row) => row.values)).toEqual([
      [0.4, NaN],
      [0.72, 0.9],
      [undefined, 1],
    ]);
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

describe('bestShown', () => {
  const shown = (value: number) => value.toFixed(1);

  it('takes all that read like the best, and none where all read alike', () => {
    expect(bestShown([71.21, 71.24, 70.9], 'higher', shown)).toEqual([true, true, false]);
    expect(bestShown([71.21, 71.24], 'higher', shown)).toEqual([false, false]);
    expect(bestShown([undefined, NaN, 3, 2], 'lower', shown)).toEqual([false, false, false, true]);
    expect(bestShown([3, undefined], 'lower', shown)).toEqual([false, false]);
  });
});

describe('rankedBy', () => {
  it('is nothing for the machine, whatever is better of it', () => {
    const metrics = ['knnTop1', 'loss', 'imagesPerSecond', 'stepMs', 'lr'];
    expect(metrics.map((metric) => rankedBy(metric, []))).toEqual(['higher', 'lower', null, null, null]);
  });

  it('is nothing for the loss, its terms and views of it, where runs minimise different objectives', () => {
    const metrics = ['loss', 'distance', 'codingRate', 'codingRateView1', 'koleo', 'effectiveRank', 'knnTop1'];
    const differingBy = (key: string) => [1, 2].map((value) => run({ id: `r${value}`, config: { [key]: value } }));
    for (const key of ['method', 'loss.codingRate.groups', 'dino.centerMomentum', 'masking.patchWeight']) {
      expect(objectiveDifferences(differingBy(key))).toEqual([key]);
      const ranked = metrics.filter((metric) => rankedBy(metric, differingBy(key)) !== null);
      expect(ranked).toEqual(['effectiveRank', 'knnTop1']);
    }
    for (const key of ['seed', 'optim.lr', 'runtime.engine', 'masking.probability'])
      expect(metrics.every((metric) => rankedBy(metric, differingBy(key)) !== null)).toBe(true);
  });
});
