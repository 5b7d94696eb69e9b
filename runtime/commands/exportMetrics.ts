import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { isRunId, runFiles } from '../../protocol/runFolder.ts';
import { csvOf, parquetOf, writeExport } from '../interchange/exportTable.ts';
import { exportTensorboard } from '../interchange/exportTensorboard.ts';
import { metricRows } from '../interchange/metricRows.ts';
import { exitCodes } from './exitCodes.ts';
import { sayProblems } from './sayProblems.ts';

const usage = `Usage: simdino export tensorboard RUN... [options]   write event files, a folder per run: scalars,
                                                      and the pictures that \`simdino look\` has made
       simdino export csv|parquet RUN... [options]   write the metrics of all runs into one table

  --runs-dir DIR   where the runs are (default: runs)
  -o, --output     a folder for tensorboard (default: tensorboard), a file for csv and parquet (default: metrics.csv)
`;

/** `simdino export tensorboard|csv|parquet`: metrics for other tools. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      output: { type: 'string', short: 'o' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [format, ...ids] = positionals;
  if (values.help) {
    process.stdout.write(usage);
    return exitCodes.success;
  }
  if (ids.length === 0)
    throw errors.usage('`simdino export` takes tensorboard, csv or parquet, and the names of runs.');
  const runsFolder = resolve(values['runs-dir']);
  const folders = ids.map((id) => folderOf(runsFolder, id));
  switch (format) {
    case 'tensorboard':
      for (const [index, folder] of folders.entries()) {
        const target = resolve(values.output ?? 'tensorboard', ids[index]!);
        const { path, scalars, images, problems } = await exportTensorboard(folder, target, { nowMs: Date.now() });
        process.stdout.write(`${path} (${scalars} scalars, ${images} images)\n`);
        sayProblems([{ id: ids[index]!, problems }]);
      }
      return exitCodes.success;
    case 'csv':
    case 'parquet': {
      const path = resolve(values.output ?? `metrics.${format}`);
      const rows = await metricRows(folders);
      writeExport(path, format === 'csv' ? csvOf(rows) : parquetOf(rows));
      process.stdout.write(`${path} (${rows.run.length} lines, ${rows.metrics.length} metrics)\n`);
      sayProblems(rows.problems);
      return exitCodes.success;
    }
    default:
      throw errors.usage(`\`simdino export\` takes tensorboard, csv or parquet, got '${format}'.`);
  }
}

function folderOf(runsFolder: string, id: string): string {
  const folder = join(runsFolder, id);
  if (!isRunId(id) || !existsSync(join(folder, runFiles.record))) throw errors.runMissing(id, runsFolder);
  return folder;
}
