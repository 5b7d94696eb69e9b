import { describe, expect, it } from 'vitest';
import { expandCells } from '../../../configs/expandCells.ts';
import { armsTable, gridTable, runsTable } from '../../../experiments/comparisonTable.ts';
import { aggregateGrid } from '../../../experiments/grid.ts';
import { heatMapSvg } from '../../../experiments/heatMapSvg.ts';
import { plain } from '../../../experiments/tables.ts';
import type { SweepRecord } from '../../../protocol/records.ts';
import { run } from './fixtureRuns.ts';

const arm = (id: string, eps: number, seed: number, knnTop1: number, loss: number) =>
  run({ id, seed, config: { 'loss.eps': eps, seed }, last: { knnTop1, loss }, best: {} });
const runs = [
  arm('a0', 0.2, 0, 0.7, -0.31),
  arm('a1', 0.2, 1, 0.72, -0.29),
  arm('b0', 0.5, 0, 0.8, -12.5),
  arm('b1', 0.5, 1, 0.78, NaN),
];
const rowsOf = (table: { rows: Parameters<typeof plain>[0][][] }) => table.rows.map((row) => row.map(plain));

describe('runsTable', () => {
  it('gives accuracies in per cent, one number of decimals a column, the best marked', () => {
    const table = runsTable(runs, { metrics: ['knnTop1', 'loss', 'unlogged'], choose: 'last' });
    expect(table.columns.map(({ label }) => label)).toEqual(['Run', 'k-NN top-1 (%)', 'Loss', 'unlogged']);
    expect(rowsOf(table)).toEqual([
      ['a0', '70.0', '-0.31', '\u2013'],
      ['a1', '72.0', '-0.29', '\u2013'],
      ['b0', '80.0', '-12.50', '\u2013'],
      ['b1', '78.0', 'NaN', '\u2013'],
    ]);
    const best = table.rows.map((row) => row.map((cell) => cell !== null && 'value' in cell && cell.best));
    expect(best).toEqual([
      [false, false, false, false],
      [false, false, false, false],
      [false, true, false, false],
      [false, false, false, false],
    ]);
  });
});

describe('the best of a column', () => {
  const bestIn = (metric: string, values: number[]) => {
    const compared = values.map((value, i) => run({ id: `r${i}`, last: { [metric]: value }, best: {} }));
    const { rows } = runsTable(compared, { metrics: [metric], choose: 'last' });
    return rows.map(([, cell]) => cell !== null && 'value' in cell! && cell.best);
  };

  it('is what reads better: no winner by digits that are not shown', () => {
    expect(bestIn('knnTop1', [0.71212, 0.71238])).toEqual([false, false]);
    expect(bestIn('knnTop1', [0.71212, 0.71238, 0.7])).toEqual([true, true, false]);
    expect(bestIn('knnTop1', [0.711, 0.712])).toEqual([false, true]);
  });

  it('is not told of the loss and its terms between runs that minimise different objectives', () => {
    const compared = [0.2, 0.5].map((eps, i) =>
      run({
        id: `r${i}`,
        config: { 'loss.eps': eps, seed: i },
        last: { loss: eps, codingRate: eps, knnTop1: eps },
        best: {},
      }),
    );
    const bestOfColumns = (runs: typeof compared) =>
      runsTable(runs, { metrics: ['loss', 'codingRate', 'knnTop1'], choose: 'last' }).rows.map((row) =>
        row.slice(1).map((cell) => cell !== null && 'value' in cell && cell.best),
      );
    expect(bestOfColumns(compared)).toEqual([
      [false, false, false],
      [false, false, true],
    ]);
    const sameObjective = compared.map((one) => ({ ...one, config: { ...one.config, 'loss.eps': 0.2 } }));
    expect(bestOfColumns(sameObjective)).toEqual([
      [true, false, false],
      [false, true, true],
    ]);
  });

  it('is not told of throughput', () => {
    expect(bestIn('imagesPerSecond', [900, 1200])).toEqual([false, false]);
  });
});

describe('armsTable', () => {
  it('gives the mean over seeds; a diverged seed does not count into it, and n says so', () => {
    const nameArm = (members: readonly { config: Record<string, unknown> }[]) =>
      `eps ${String(members[0]!.config['loss.eps'])}`;
    const table = armsTable(runs, { metrics: ['knnTop1', 'loss'], choose: 'last', nameArm });
    expect(rowsOf(table)).toEqual([
      ['eps 0.2', '71.0 \u00b1 12.7 (n = 2)', '-0.30 \u00b1 0.13 (n = 2)'],
      ['eps 0.5', '79.0 \u00b1 12.7 (n = 2)', '-12.50'],
    ]);
  });
});

describe('a grid as table and figure', () => {
  const axes = [{ key: 'loss.eps', values: [0.2, 0.5, '<b>'] }];
  const seeds = [0, 1];
  const ids = ['a0', 'a1', 'b0', 'b1', 'c0', 'c1'];
  const cells = expandCells({ axes, seeds }).map((cell, i) => ({ ...cell, runId: ids[i]! }));
  const sweep: SweepRecord = {
    version: 1,
    id: 's',
    createdAt: '',
    base: '',
    axes,
    seeds,
    cells,
    metric: 'knnTop1',
    goal: 'maximise',
    slots: 1,
  };
  const grid = aggregateGrid(
    { sweep, runs },
    { rowKey: null, columnKey: 'loss.eps', metric: 'knnTop1', goal: 'maximise', choose: 'last' },
  );

  it('has a row a cell', () => {
    expect(rowsOf(gridTable(grid, ['loss.eps'], 'knnTop1'))).toEqual([
      ['0.2', 'done', '71.0 \u00b1 12.7 (n = 2)'],
      ['0.5', 'done', '79.0 \u00b1 12.7 (n = 2)'],
      ['<b>', 'missing', '\u2013'],
    ]);
  });

  it('draws values, the best and what is missing, with words escaped', () => {
    const { svg, widthPx, heightPx } = heatMapSvg({
      grid,
      title: 'a & b',
      metric: 'knnTop1',
      colours: () => ({ fill: '#123456', text: '#fff' }),
    });
    expect(svg).toContain('\u2605 79.0 %');
    expect(svg).toContain('>missing<');
    expect(svg).toContain('a &#38; b');
    expect(svg).not.toContain('<b>');
    expect(svg).toContain(`viewBox="0 0 ${widthPx} ${heightPx}"`);
  });
});
