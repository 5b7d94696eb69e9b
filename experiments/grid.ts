/** A sweep as tables: two axes as rows and columns, the others as facets, seeds aggregated within a cell. */
import type { GridData, RunSummary } from '../protocol/panelMessages.ts';
import type { JsonScalar, SweepRecord } from '../protocol/records.ts';
import { bestShown, isComparable, rankedBy } from './compare.ts';
import { formatMetric } from './formatMetric.ts';
import type { MeanInterval } from './studentT.ts';
import { meanInterval } from './studentT.ts';

/**
 * - `done`: every seed finished with a finite value; `partial`: some did, and none is under way
 * - `running`, `pending` (a run exists and waits, or a scheduler at work will start it), `missing` (not started)
 * - `failed`: failed, crashed or diverged, and no seed finished; `stopped`: stopped before the end
 * - `absent`: the sweep has no such combination
 */
export const cellStates = ['done', 'partial', 'running', 'pending', 'missing', 'failed', 'stopped', 'absent'] as const;
export type CellState = (typeof cellStates)[number];

export interface GridCell {
  /** Value of every axis. */
  at: Record<string, JsonScalar>;
  state: CellState;
  /** Over the seeds that finished with a finite value; null when none has. */
  summary: MeanInterval | null;
  /** Mean of unfinished seeds' newest values, shown while nothing has finished. */
  preliminary: number | null;
  members: CellMember[];
  best: boolean;
}

export interface CellMember {
  runId: string;
  seed: number;
  /** Null where the run does not exist. */
  run: RunSummary | null;
  /** Undefined while it has no value. */
  value: number | undefined;
}

export interface GridFacet {
  /** Values of the axes that are neither rows nor columns. */
  fixed: Record<string, JsonScalar>;
  /** `cells[row][column]`. */
  cells: GridCell[][];
}

export interface Grid {
  /** One row per cell of a list, named by what it sets; else two axes span the table. */
  layout: 'axes' | 'list';
  rowKey: string | null;
  columnKey: string | null;
  rows: JsonScalar[];
  columns: JsonScalar[];
  facets: GridFacet[];
  /** Which mean is the best; null where the metric has no better way, or the cells can't be ranked by it. */
  better: 'higher' | 'lower' | null;
  /** Smallest and largest mean of finished cells, null when there is none. */
  range: { low: number; high: number } | null;
  counts: Record<CellState, number>;
}

export interface GridView {
  /** An axis' key; null for the one row or column of a sweep with fewer axes. */
  rowKey: string | null;
  columnKey: string | null;
  metric: string;
  goal: SweepRecord['goal'];
  /** Best value of a run, or the last. */
  choose: 'best' | 'last';
}

interface FoundRuns {
  byId: ReadonlyMap<string, RunSummary>;
  /** Whether a scheduler starts what has not been started. */
  isLaunching: boolean;
}

export function aggregateGrid(
  { sweep, runs, scheduler = 'idle' }: Pick<GridData, 'sweep' | 'runs'> & Partial<Pick<GridData, 'scheduler'>>,
  view: GridView,
): Grid {
  const found: FoundRuns = { byId: new Map(runs.map((run) => [run.id, run])), isLaunching: scheduler === 'running' };
  const listed = listedCells(sweep);
  if (listed) return listGrid(sweep, found, listed, view);
  const rows = valuesOf(sweep, view.rowKey);
  const columns = valuesOf(sweep, view.columnKey);
  const facetAxes = sweep.axes.filter(({ key }) => key !== view.rowKey && key !== view.columnKey);
  const facets = product(facetAxes).map((fixed) => ({
    fixed,
    cells: rows.map((row) =>
      columns.map((column) => {
        const at = { ...fixed };
        if (view.rowKey !== null) at[view.rowKey] = row;
        if (view.columnKey !== null) at[view.columnKey] = column;
        return cellAt(sweep, found, at, view);
      }),
    ),
  }));
  return {
    layout: 'axes',
    rowKey: view.rowKey,
    columnKey: view.columnKey,
    rows,
    columns,
    facets,
    ...judged(facets, view, sweep),
  };
}

/**
 * The cells of a sweep that lists them, each once; null where its axes span a table of them. A list's cells need not set the same keys:
 * as axes they would span a table of mostly nothing, which a cell without one of the keys is not even in.
 */
export function listedCells({ axes, cells }: Pick<SweepRecord, 'axes' | 'cells'>): Record<string, JsonScalar>[] | null {
  const distinct = [...new Map(cells.map(({ cell }) => [JSON.stringify(cell), cell])).values()];
  const combinations = axes.reduce((count, { values }) => count * values.length, 1);
  const isWhole = distinct.every((cell) => axes.every(({ key }) => key in cell));
  // A few gaps in a table say more than a list does.
  return isWhole && 2 * distinct.length > combinations ? null : distinct;
}

function listGrid(
  sweep: SweepRecord,
  found: FoundRuns,
  listed: readonly Record<string, JsonScalar>[],
  view: GridView,
): Grid {
  const cells = listed.map((at) => {
    const key = JSON.stringify(at);
    return [
      cellOf(
        sweep.cells.filter(({ cell }) => JSON.stringify(cell) === key),
        found,
        at,
        view,
      ),
    ];
  });
  const rows = namesOfCells(listed);
  const facets = [{ fixed: {}, cells }];
  return {
    layout: 'list',
    rowKey: 'cell',
    columnKey: null,
    rows,
    columns: [null],
    facets,
    ...judged(facets, view, sweep),
  };
}

/** What tells each cell from the others: keys with several values, and further ones only where cells would be called alike. */
function namesOfCells(cells: readonly Record<string, JsonScalar>[]): string[] {
  const keys = [...new Set(cells.flatMap(Object.keys))];
  const valuesIn = (some: readonly Record<string, JsonScalar>[], key: string) => new Set(some.map((cell) => cell[key]));
  const named = keys.filter(
    (key) =>
      valuesIn(
        cells.filter((cell) => key in cell),
        key,
      ).size > 1,
  );
  const nameOf = (cell: Record<string, JsonScalar>, by: readonly string[]) =>
    by
      .filter((key) => key in cell)
      .map((key) => `${key} ${String(cell[key])}`)
      .join(', ');
  return cells.map((cell) => {
    const alike = cells.filter((other) => nameOf(other, named) === nameOf(cell, named));
    const further = keys.filter((key) => !named.includes(key) && valuesIn(alike, key).size > 1);
    return nameOf(cell, [...named, ...further]) || 'base';
  });
}

/** Marks the best cells - all whose mean reads like the best one's - and counts. */
function judged(
  facets: readonly GridFacet[],
  view: GridView,
  sweep: SweepRecord,
): Pick<Grid, 'better' | 'range' | 'counts'> {
  const cells = facets.flatMap((facet) => facet.cells.flat());
  const means = cells.map((cell) => cell.summary?.mean);
  const known = means.filter((mean) => mean !== undefined);
  const range = known.length > 0 ? { low: Math.min(...known), high: Math.max(...known) } : null;
  const runs = cells.flatMap(({ members }) => members.flatMap(({ run }) => run ?? []));
  // A sweep may be about what is otherwise no result, such as throughput.
  const isRanked =
    view.metric === sweep.metric ? isComparable(view.metric, runs) : rankedBy(view.metric, runs) !== null;
  const better = !isRanked ? null : view.goal === 'maximise' ? 'higher' : 'lower';
  const best = bestShown(means, better, (mean) => formatMetric(view.metric, mean));
  for (const [i, cell] of cells.entries()) cell.best = best[i]!;
  const counts = Object.fromEntries(cellStates.map((state) => [state, 0])) as Record<CellState, number>;
  for (const cell of cells) counts[cell.state]++;
  return { better, range, counts };
}

/**
 * Where a cell's mean lies between the smallest and the largest, 0 to 1, for its colour: the better end is 1, whichever that is, and the
 * larger one where neither is better. Null for a cell without a mean.
 */
export function shareOfRange({ range, better }: Pick<Grid, 'range' | 'better'>, cell: GridCell): number | null {
  if (!cell.summary || !range) return null;
  const share = range.high > range.low ? (cell.summary.mean - range.low) / (range.high - range.low) : 0.75;
  return better === 'lower' ? 1 - share : share;
}

/** Metrics that any run of the sweep has logged, the sweep's own first. */
export function gridMetrics({ sweep, runs }: Pick<GridData, 'sweep' | 'runs'>): string[] {
  const logged = new Set(runs.flatMap((run) => Object.keys(run.last)));
  logged.delete(sweep.metric);
  return [sweep.metric, ...[...logged].sort()];
}

function cellAt(sweep: SweepRecord, found: FoundRuns, at: Record<string, JsonScalar>, view: GridView): GridCell {
  const planned = sweep.cells.filter(({ cell }) => Object.entries(at).every(([key, value]) => cell[key] === value));
  return cellOf(planned, found, at, view);
}

function cellOf(
  planned: SweepRecord['cells'],
  found: FoundRuns,
  at: Record<string, JsonScalar>,
  view: GridView,
): GridCell {
  const members = planned.map(({ runId, seed }): CellMember => {
    const run = found.byId.get(runId) ?? null;
    return { runId, seed, run, value: run ? valueOf(run, view) : undefined };
  });
  const finished = members.flatMap(({ run, value }) =>
    run?.state === 'finished' && isFiniteValue(value) ? [value] : [],
  );
  const open = members.flatMap(({ run, value }) =>
    run && run.state !== 'finished' && isFiniteValue(value) ? [value] : [],
  );
  return {
    at,
    state: stateOf(members, finished.length, found.isLaunching),
    summary: finished.length > 0 ? meanInterval(finished) : null,
    preliminary: finished.length === 0 && open.length > 0 ? meanInterval(open).mean : null,
    members,
    best: false,
  };
}

function stateOf(members: readonly CellMember[], finished: number, isLaunching: boolean): CellState {
  if (members.length === 0) return 'absent';
  if (finished === members.length) return 'done';
  const states = members.map(({ run }) => run?.state);
  if (states.some((state) => state === 'running' || state === 'starting' || state === 'stopping')) return 'running';
  if (finished > 0) return 'partial';
  // A run that finished without a finite value has diverged.
  if (states.some((state) => state === 'failed' || state === 'crashed' || state === 'finished')) return 'failed';
  if (states.some((state) => state === 'queued')) return 'pending';
  if (states.some((state) => state === 'stopped' || state === 'stale')) return 'stopped';
  return isLaunching ? 'pending' : 'missing';
}

function valueOf(run: RunSummary, { metric, choose }: GridView): number | undefined {
  return (choose === 'best' ? run.best[metric]?.value : undefined) ?? run.last[metric];
}

function valuesOf(sweep: SweepRecord, key: string | null): JsonScalar[] {
  return key === null ? [null] : (sweep.axes.find((axis) => axis.key === key)?.values ?? [null]);
}

function product(axes: SweepRecord['axes']): Record<string, JsonScalar>[] {
  return axes.reduce<Record<string, JsonScalar>[]>(
    (rows, { key, values }) => rows.flatMap((row) => values.map((value) => ({ ...row, [key]: value }))),
    [{}],
  );
}

function isFiniteValue(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}
