import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { listRuns } from '../../experiments/store/listRuns.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import { exitCodes } from './exitCodes.ts';

/** `simdino runs`: what every run of a folder is doing, whoever started it. */
export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { 'runs-dir': { type: 'string', default: 'runs' }, json: { type: 'boolean', default: false } },
  });
  const folder = resolve(values['runs-dir']);
  const { runs, skipped } = await listRuns(folder);
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ runs, skipped }, null, 2)}\n`);
    return exitCodes.success;
  }
  if (runs.length === 0) process.stdout.write(`No runs in ${folder}.\n`);
  else process.stdout.write(`${formatTable([header, ...runs.map(row)])}\n`);
  for (const { name, reason } of skipped) process.stderr.write(`passed over ${name}: ${reason}\n`);
  for (const { id, problems } of runs) for (const problem of problems) process.stderr.write(`${id}: ${problem}\n`);
  return exitCodes.success;
}

const header = ['RUN', 'STATE', 'STEP', 'EPOCH', 'LOSS', 'K-NN', 'METHOD', 'SEED'];

function row(run: RunOverview): string[] {
  const { latest, record } = run;
  const number = (value: number | undefined, digits: number) => (value === undefined ? '-' : value.toFixed(digits));
  const knn = latest['knnTop1'];
  return [
    run.annotations.name ? `${run.annotations.name} (${run.id})` : run.id,
    run.state,
    `${latest['step'] ?? 0}/${record?.totalSteps ?? '?'}`,
    number(latest['epoch'], 1),
    number(latest['loss'], 4),
    knn === undefined ? '-' : `${(100 * knn).toFixed(1)} %`,
    record?.method ?? '?',
    String(record?.seed ?? '?'),
  ];
}

/** Columns padded to their widest cell. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
