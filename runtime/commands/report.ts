import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { listSweeps } from '../../experiments/store/readSweep.ts';
import { errors } from '../../protocol/errors.ts';
import { writeReport } from '../report/writeReport.ts';
import { exitCodes } from './exitCodes.ts';

/** `simdino report`: curves and comparison of runs, or of a sweep's runs, as one HTML file. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      output: { type: 'string', short: 'o', default: 'report.html' },
      sweep: { type: 'string' },
    },
  });
  const runsFolder = resolve(values['runs-dir']);
  const ids = [...positionals, ...(values.sweep === undefined ? [] : await startedCells(runsFolder, values.sweep))];
  if (ids.length === 0)
    throw errors.usage('`simdino report` needs the names of runs, or --sweep with the name of a sweep.');
  process.stdout.write(`${await writeReport(runsFolder, ids, resolve(values.output))}\n`);
  return exitCodes.success;
}

async function startedCells(runsFolder: string, id: string): Promise<string[]> {
  const sweep = (await listSweeps(runsFolder)).find(({ record }) => record?.id === id);
  if (!sweep?.record) throw errors.usage(`There is no sweep '${id}' in ${runsFolder}.`);
  return sweep.record.cells.map(({ runId }) => runId).filter((runId) => existsSync(join(runsFolder, runId)));
}
