import { describe, expect, it, test } from 'vitest';
import { gridTable } from '../../../experiments/comparisonTable.ts';
import { aggregateGrid, listedCells } from '../../../experiments/grid.ts';
import { heatMapSvg } from '../../../experiments/heatMapSvg.ts';
import type { SweepRecord } from '../../../protocol/records.ts';
import { run } from './fixtureRuns.ts';
import { recordOf, sweepFiles } from './sweepRecords.ts';

const viewOf = ({ axes, metric, goal }: SweepRecord) => ({
  rowKey: axes[1]?.key ?? null,
  columnKey: axes[0]?.key ?? null,
  metric,
  goal,
  choose: 'best' as const,
});

describe('the grid of every sweep in configs/sweeps', () => {
  test.each(sweepFiles)('%s shows each run once, in its table too', (file) => {
    const sweep = recordOf(file);
    const runs = sweep.cells.map(({ runId, seed }, index) =>
      run({
        id: runId,
        seed,
        state: 'finished',
        last: { [sweep.metric]: 0.1 + index / 1000 },
        best: { [sweep.metric]: { value: 0.1 + index / 1000, step: 1 } },
      }),
    );
    const grid = aggregateGrid({ sweep, runs }, viewOf(sweep));
    const shown = grid.facets.flatMap((facet) =>
      facet.cells.flat().flatMap(({ members }) => members.map(({ runId }) => runId)),
    );
    expect([...shown].sort()).toEqual(sweep.cells.map(({ runId }) => runId).sort());
    expect(grid.counts.absent).toBe(0);
    const cells = sweep.cells.length / sweep.seeds.length;
    expect(grid.counts.done).toBe(cells);
    expect(
      gridTable(
        grid,
        sweep.axes.map(({ key }) => key),
        sweep.metric,
      ).rows,
    ).toHaveLength(cells);
  });
});

describe('a list of cells', () => {
  const sweep = recordOf('desk_table6.yaml');

  it('has a row for each, named by what tells it from the others', () => {
    const grid = aggregateGrid({ sweep, runs: [] }, viewOf(sweep));
    expect(grid.layout).toBe('list');
    expect(new Set(grid.rows).size).toBe(6);
    expect(grid.rows[5]).toBe('method simdino, teacher.momentum 0.9');
    expect(grid.rows[2]).toContain('dino.prototypeNorm trained');
    // The same in all cells that set it.
    for (const row of grid.rows) expect(row).not.toContain('dino.prototypes');
    expect(grid.counts.missing).toBe(6);
  });

  it('has room for its names in a figure', () => {
    const grid = aggregateGrid({ sweep, runs: [] }, viewOf(sweep));
    const colours = () => ({ fill: '#fff', text: '#000' });
    const { widthPx } = heatMapSvg({ grid, title: 'x', metric: 'knnTop1', colours });
    const longest = Math.max(...grid.rows.map((row) => String(row).length));
    expect(widthPx).toBeGreaterThan(6 * longest + 112);
  });

  it('that holds most combinations of its values is a table', () => {
    const axes = [
      { key: 'loss.eps', values: [0.2, 0.5] },
      { key: 'seed', values: [1] },
    ];
    const cells = [0.2, 0.5].map((eps, index) => ({ runId: `r${index}`, seed: 0, cell: { 'loss.eps': eps, seed: 1 } }));
    expect(listedCells({ axes, cells })).toBeNull();
    const sparse = [0, 1, 2, 3].map((n) => ({ runId: `s${n}`, seed: 0, cell: { a: n, b: n } }));
    const square = ['a', 'b'].map((key) => ({ key, values: [0, 1, 2, 3] }));
    expect(listedCells({ axes: square, cells: sparse })).toHaveLength(4);
  });
});
