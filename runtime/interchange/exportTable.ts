/** Metrics for other tools: CSV that spreadsheets and data frames read, Parquet with typed columns. */
import { writeFileSync } from 'node:fs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { guard } from '../run/appendLines.ts';
import type { MetricRows } from './metricRows.ts';

/** Comma-separated values (RFC 4180): an empty cell where a line lacks a metric; `NaN`, `Infinity` and `-Infinity` as such. */
export function csvOf({ metrics, run, step, epoch, time, values, isThere }: MetricRows): string {
  const lines = [['run', 'step', 'epoch', 'time', ...metrics].map(cell).join(',')];
  for (let row = 0; row < run.length; row++) {
    const numbers = metrics.map((_, column) => (isThere[column]![row] ? String(values[column]![row]) : ''));
    lines.push([cell(run[row]!), step[row], number(epoch[row]!), number(time[row]!), ...numbers].join(','));
  }
  return `${lines.join('\n')}\n`;
}

/** A Parquet file: `run` text, `step` and `time` 64-bit integers (`time` in ms since 1970), metrics nullable doubles. */
export function parquetOf({ metrics, run, step, epoch, time, values, isThere }: MetricRows): Uint8Array {
  const real = (name: string, column: ArrayLike<number>, isNull: (row: number) => boolean) => ({
    name,
    type: 'DOUBLE' as const,
    nullable: true,
    data: Array.from(column, (value, row) => (isNull(row) ? null : value)),
  });
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'run', type: 'STRING', nullable: false, data: run },
        { name: 'step', type: 'INT64', nullable: false, data: Array.from(step, (value) => BigInt(Math.round(value))) },
        real('epoch', epoch, (row) => Number.isNaN(epoch[row])),
        real('time', time, (row) => Number.isNaN(time[row])),
        ...metrics.map((name, column) => real(name, values[column]!, (row) => isThere[column]![row] === 0)),
      ],
    }),
  );
}

/** Writes an export whole. @throws runFolderUnwritable, diskFull */
export function writeExport(path: string, content: string | Uint8Array): void {
  guard(path, () => writeFileSync(path, content));
}

function cell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function number(value: number): string {
  return Number.isNaN(value) ? '' : String(value);
}
