import { describe, expect, it } from 'vitest';
import { aggregateGrid, shareOfRange } from '../../../experiments/grid.ts';
import { expandCells } from '../../../configs/expandCells.ts';
import { needsRun } from '../../../experiments/sweepCells.ts';
import { meanInterval, studentT975 } from '../../../experiments/studentT.ts';
import type { RunState, SchedulerState, SweepRecord } from '../../../protocol/records.ts';
import { run } from './fixtureRuns.ts';

const axes = [
  { key: 'loss.gamma', values: [0.01, 0.1] },
  { key: 'loss.eps', values: [0.2, 0.5] },
];

function sweepOf(seeds: number[], extra: SweepRecord['axes'] = []): SweepRecord {
  const all = [...axes, ...extra];
  const cells = expandCells({ axes: all, seeds }).map((cell, i) => ({ ...cell, runId: `run-${i}` }));
  const record = { version: 1, id: 'sweep', createdAt: '', base: 'base.yaml', metric: 'knnTop1', slots: 1 };
  return { ...record, axes: all, seeds, cells, goal: 'maximise' };
}

const member = (i: number, state: RunState, value?: number) =>
  run({
    id: `run-${i}`,
    state,
    last: value === undefined ? {} : { knnTop1: value },
    best: value === undefined || !Number.isFinite(value) ? {} : { knnTop1: { value, step: 1 } },
  });

const view = {
  rowKey: 'loss.gamma',
  columnKey: 'loss.eps',
  metric: 'knnTop1',
  goal: 'maximise',
  choose: 'best',
} as const;

describe('aggregateGrid', () => {
  it('gives the mean over seeds with its interval and marks the best cell', () => {
    const runs = [
      member(0, 'finished', 0.5),
      member(1, 'finished', 0.7),
      member(2, 'finished', 0.9),
      member(3, 'finished', 0.9),
    ];
    const grid = aggregateGrid({ sweep: sweepOf([0, 1]), runs }, view);
    const [first, second] = grid.facets[0]!.cells[0]!;
    expect(first).toMatchObject({ state: 'done', best: false });
    expect(first!.summary!.mean).toBeCloseTo(0.6, 12);
    expect(first!.summary!.n).toBe(2);
    expect(second).toMatchObject({ best: true });
    expect(grid.counts).toMatchObject({ done: 2, missing: 2 });
    expect(grid.range!.high).toBeCloseTo(0.9, 12);
  });

  it.each<[string, (ReturnType<typeof member> | null)[], string]>([
    ['all finished', [member(0, 'finished', 1), member(1, 'finished', 1)], 'done'],
    ['one finished, one failed', [member(0, 'finished', 1), member(1, 'failed')], 'partial'],
    ['one finished, one not started', [member(0, 'finished', 1), null], 'partial'],
    ['one running', [member(0, 'finished', 1), member(1, 'running', 0.3)], 'running'],
    ['queued', [member(0, 'queued'), null], 'pending'],
    ['crashed', [member(0, 'crashed'), member(1, 'queued')], 'failed'],
    ['finished with NaN', [member(0, 'finished', NaN), member(1, 'stopped')], 'failed'],
    ['stopped', [member(0, 'stopped', 0.2), null], 'stopped'],
    ['nothing', [null, null], 'missing'],
  ])('%s', (_, members, state) => {
    const runs = members.filter((one) => one !== null);
    const grid = aggregateGrid({ sweep: sweepOf([0, 1]), runs }, view);
    expect(grid.facets[0]!.cells[0]![0]!.state).toBe(state);
  });

  it('never lets an unfinished run into the mean', () => {
    const runs = [member(0, 'running', 0.99), member(1, 'finished', 0.5)];
    const cell = aggregateGrid({ sweep: sweepOf([0, 1]), runs }, view).facets[0]!.cells[0]![0]!;
    expect(cell.summary).toMatchObject({ n: 1, mean: 0.5 });
    const alone = aggregateGrid({ sweep: sweepOf([0, 1]), runs: runs.slice(0, 1) }, view).facets[0]!.cells[0]![0]!;
    expect(alone).toMatchObject({ summary: null, preliminary: 0.99 });
  });

  it('makes a facet of every value of the remaining axes, and absent cells of missing combinations', () => {
    const sweep = sweepOf([0], [{ key: 'train.epochs', values: [10, 20, 30] }]);
    sweep.cells = sweep.cells.slice(1);
    const grid = aggregateGrid({ sweep, runs: [] }, view);
    expect(grid.facets.map(({ fixed }) => fixed)).toEqual([
      { 'train.epochs': 10 },
      { 'train.epochs': 20 },
      { 'train.epochs': 30 },
    ]);
    expect(grid.counts).toMatchObject({ absent: 1, missing: 11 });
  });

  it('has no best cell where means read alike, or where neither way is better', () => {
    const alike = [0.71212, 0.71238, 0.7].map((value, i) => member(i, 'finished', value));
    const best = (runs: typeof alike, metric = 'knnTop1') =>
      aggregateGrid({ sweep: sweepOf([0]), runs }, { ...view, metric })
        .facets[0]!.cells.flat()
        .map((cell) => cell.best);
    expect(best(alike)).toEqual([true, true, false, false]);
    expect(best(alike.slice(0, 2))).toEqual([false, false, false, false]);
    const rates = [1e-3, 2e-3].map((lr, i) => run({ id: `run-${i}`, last: { lr, imagesPerSecond: lr } }));
    for (const metric of ['lr', 'imagesPerSecond']) expect(best(rates, metric)).not.toContain(true);
  });

  it('has no best loss where cells minimise different objectives, and one where they do not', () => {
    const losses = (key: string) =>
      [0.4, 0.3].map((loss, i) => run({ id: `run-${i}`, config: { [key]: i, seed: i }, last: { loss }, best: {} }));
    const gridBy = (key: string, metric = 'loss') =>
      aggregateGrid({ sweep: { ...sweepOf([0]), metric }, runs: losses(key) }, { ...view, metric, goal: 'minimise' });
    const best = (grid: ReturnType<typeof gridBy>) => grid.facets[0]!.cells.flat().map((cell) => cell.best);
    for (const key of ['loss.eps', 'loss.gamma', 'projector.outputDim', 'train.batchSize', 'dinov2.koleoWeight'])
      expect([gridBy(key).better, ...best(gridBy(key))]).toEqual([null, false, false, false, false]);
    for (const key of ['optim.lr', 'train.epochs'])
      expect([gridBy(key).better, ...best(gridBy(key))]).toEqual(['lower', false, true, false, false]);
    // Colours go from small to large where there is no better end.
    const [first, second] = gridBy('loss.eps').facets[0]!.cells.flat();
    expect([first, second].map((cell) => shareOfRange(gridBy('loss.eps'), cell!))).toEqual([1, 0]);
    expect([first, second].map((cell) => shareOfRange(gridBy('optim.lr'), cell!))).toEqual([0, 1]);
  });

  it('has cells that wait for a scheduler at work, and that nobody has started', () => {
    const count = (scheduler: SchedulerState) =>
      aggregateGrid({ sweep: sweepOf([0]), runs: [member(0, 'running')], scheduler }, view).counts;
    expect(count('running')).toMatchObject({ running: 1, pending: 3, missing: 0 });
    for (const scheduler of ['idle', 'pausing', 'paused', 'cancelled'] as const)
      expect(count(scheduler)).toMatchObject({ running: 1, pending: 0, missing: 3 });
  });

  it('shows a sweep of one axis as one row', () => {
    const grid = aggregateGrid({ sweep: sweepOf([0]), runs: [] }, { ...view, rowKey: null, columnKey: 'loss.eps' });
    expect(grid.rows).toEqual([null]);
    expect(grid.facets.length).toBe(2);
  });
});

describe('studentT975', () => {
  // Quantiles from the usual tables.
  it.each([
    [1, 12.7062],
    [2, 4.30265],
    [10, 2.22814],
    [11, 2.20099],
    [15, 2.13145],
    [30, 2.04227],
    [100, 1.98397],
    [1000, 1.96234],
  ])('%i degrees of freedom', (v, quantile) => {
    expect(studentT975(v)).toBeCloseTo(quantile, 4);
  });
});

describe('meanInterval', () => {
  it('is mean +- t s / sqrt n', () => {
    const { mean, std, ci95 } = meanInterval([1, 2, 3]);
    expect(mean).toBe(2);
    expect(std).toBe(1);
    expect(ci95).toBeCloseTo(4.302653 / Math.sqrt(3), 6);
    expect(meanInterval([5])).toEqual({ n: 1, mean: 5, std: null, ci95: null });
  });
});

describe('needsRun', () => {
  it('takes what is missing or ended short of the end, and leaves what is at work or done', () => {
    const states: (RunState | undefined)[] = [
      undefined,
      'failed',
      'crashed',
      'stopped',
      'finished',
      'running',
      'queued',
      'stale',
    ];
    expect(states.map(needsRun)).toEqual([true, true, true, true, false, false, false, false]);
  });
});
