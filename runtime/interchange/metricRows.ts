import { basename } from 'node:path';
import { readRunMetrics } from '../../experiments/store/runMetrics.ts';
import { unreadableLines } from '../../experiments/store/tailJsonLines.ts';
import { attemptFiles } from '../../protocol/runFolder.ts';

/** Metrics of one or several runs as one table; `NaN` stands where a line has no value, and where a metric was logged as such. */
export interface MetricRows {
  /** Names of the metrics, in the order in which they were first logged. */
  metrics: string[];
  run: string[];
  step: Float64Array;
  epoch: Float64Array;
  /** Unix time in ms. */
  time: Float64Array;
  /** One column per metric, in the order of `metrics`. */
  values: Float64Array[];
  /** Whether a line has that metric at all; what tells a missing value from a NaN. */
  isThere: Uint8Array[];
  /** What of each run could not be read. */
  problems: { id: string; problems: string[] }[];
}

/** The metrics of runs below each other, in the order given, without the lines that a resumed attempt superseded. */
export async function metricRows(runFolders: readonly string[]): Promise<MetricRows> {
  const tables = await Promise.all(
    runFolders.map(async (folder) => {
      const { table, faultyLines } = await readRunMetrics(folder);
      return { run: basename(folder), table, faultyLines };
    }),
  );
  const rows = tables.reduce((sum, { table }) => sum + table.length, 0);
  const metrics = [...new Set(tables.flatMap(({ table }) => table.names))];
  const joined: MetricRows = {
    metrics,
    run: [],
    step: new Float64Array(rows),
    epoch: new Float64Array(rows),
    time: new Float64Array(rows),
    values: metrics.map(() => new Float64Array(rows).fill(NaN)),
    isThere: metrics.map(() => new Uint8Array(rows)),
    problems: tables.map(({ run, faultyLines }) => ({
      id: run,
      problems: unreadableLines(attemptFiles.metrics, faultyLines),
    })),
  };
  let first = 0;
  for (const { run, table } of tables) {
    for (let row = 0; row < table.length; row++) joined.run.push(run);
    joined.step.set(table.step, first);
    joined.epoch.set(table.epoch, first);
    joined.time.set(table.time, first);
    for (const [column, name] of metrics.entries()) {
      const series = table.series(name);
      series.rows.forEach((row, point) => {
        joined.values[column]![first + row] = series.values[point]!;
        joined.isThere[column]![first + row] = 1;
      });
    }
    first += table.length;
  }
  return joined;
}
