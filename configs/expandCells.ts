/** The runs that a sweep is made of. */
import type { JsonScalar } from '../protocol/records.ts';

export interface SweepAxis {
  key: string;
  values: JsonScalar[];
}

export interface SweepCell {
  /** Dotted keys with the values of this cell. */
  cell: Record<string, JsonScalar>;
  seed: number;
}

/**
 * Every cell with every seed. Cells are the combinations of the axes' values, the last axis moving fastest, or the
 * explicit list where there is one.
 */
export function expandCells(sweep: {
  axes: readonly SweepAxis[];
  cells?: readonly Record<string, JsonScalar>[] | undefined;
  seeds: readonly number[];
}): SweepCell[] {
  const cells = sweep.cells ?? combinations(sweep.axes);
  return cells.flatMap((cell) => sweep.seeds.map((seed) => ({ cell, seed })));
}

function combinations(axes: readonly SweepAxis[]): Record<string, JsonScalar>[] {
  return axes.reduce<Record<string, JsonScalar>[]>(
    (cells, { key, values }) => cells.flatMap((cell) => values.map((value) => ({ ...cell, [key]: value }))),
    [{}],
  );
}
