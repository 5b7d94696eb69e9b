/** The runs that a sweep is made of, and those that are still to do. */
import type { JsonScalar, RunState, SweepRecord } from '../protocol/records.ts';

export interface PlannedCell {
  cell: Record<string, JsonScalar>;
  seed: number;
}

/** Every combination of the axes' values, each with every seed; the last axis moves fastest, seeds faster still. */
export function sweepCells(axes: SweepRecord['axes'], seeds: readonly number[]): PlannedCell[] {
  const combinations = axes.reduce<Record<string, JsonScalar>[]>(
    (cells, { key, values }) => cells.flatMap((cell) => values.map((value) => ({ ...cell, [key]: value }))),
    [{}],
  );
  return combinations.flatMap((cell) => seeds.map((seed) => ({ cell, seed })));
}

/** The axes that a list of explicit cells spans: each key with its distinct values in order of appearance. */
export function axesOf(cells: readonly Record<string, JsonScalar>[]): SweepRecord['axes'] {
  const axes = new Map<string, JsonScalar[]>();
  for (const cell of cells) {
    for (const [key, value] of Object.entries(cell)) {
      const values = axes.get(key) ?? [];
      if (!values.some((known) => Object.is(known, value))) values.push(value);
      axes.set(key, values);
    }
  }
  return [...axes].map(([key, values]) => ({ key, values }));
}

/** A cell that is not finished and that nothing is working on: what "run missing cells" starts. */
export function needsRun(state: RunState | undefined): boolean {
  return state === undefined || state === 'failed' || state === 'crashed' || state === 'stopped';
}
