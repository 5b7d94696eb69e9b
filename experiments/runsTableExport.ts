import { bestShown, rankedBy } from './compare.ts';
import { tableValue } from './formatMetric.ts';
import type { TableColumn, TableItem } from './runsTable.ts';
import type { ResultCell, ResultTable } from './tables.ts';

/** The rows of a table of runs as they stand, for Markdown, CSV and LaTeX; group lines are left out. */
export function resultTableOf(items: readonly TableItem[], columns: readonly TableColumn[]): ResultTable {
  const rows = items.flatMap((item) => (item.kind === 'row' ? [item.row] : []));
  const cells = columns.map((column): ResultCell[] => {
    const values = rows.map(column.value);
    const numbers = values.map((value) => (typeof value === 'number' ? value : undefined));
    if (column.kind === 'time')
      return numbers.map((ms) => (ms === undefined ? null : { text: new Date(ms).toISOString() }));
    const { metric } = column;
    if (metric === undefined) return values.map((value) => (value === undefined ? null : { text: String(value) }));
    const scaled = numbers.map((value) => (value === undefined ? undefined : tableValue(metric, value).value));
    const decimals = tableValue(metric, 0).unit === '%' ? 1 : 4;
    const best = bestShown(scaled, rankedBy(metric, rows), (value) => value.toFixed(decimals));
    return scaled.map((value, i) => (value === undefined ? null : { value, decimals, best: best[i] === true }));
  });
  return {
    title: 'Runs',
    columns: columns.map(({ label, title, kind, metric }) => {
      const unit = metric === undefined ? '' : tableValue(metric, 0).unit;
      return {
        label: label + (unit ? ` (${unit})` : ''),
        ...(title === undefined ? {} : { title }),
        kind: kind === 'metric' || kind === 'number' ? 'number' : 'text',
      };
    }),
    rows: rows.map((_, i) => cells.map((column) => column[i] ?? null)),
  };
}
