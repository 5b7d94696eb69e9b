import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkpointRows } from '../../experiments/checkpointRows.ts';
import { formatBytes, formatMetric } from '../../experiments/formatMetric.ts';
import { readRun } from '../../experiments/store/readRun.ts';
import { errors } from '../../protocol/errors.ts';
import { checkpointName, runFiles } from '../../protocol/runFolder.ts';
import { readRunFolder } from '../run/openRun.ts';
import { isSomebodyTraining } from '../run/otherTrainers.ts';
import { readAttempts } from '../run/runFolder.ts';
import { exitCodes } from './exitCodes.ts';
import { formatTable } from './runs.ts';

/** `simdino checkpoints`: what a run has kept, what it will keep, and deleting one while nobody trains. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      delete: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [id] = positionals;
  if (id === undefined) throw errors.usage('`simdino checkpoints` needs the name of a run.');
  const { folder, config } = readRunFolder(resolve(values['runs-dir']), id);
  const rows = checkpointRows((await readRun(folder)).checkpoints, config.checkpoint.keep);

  if (values.delete !== undefined) {
    const step = Number(values.delete);
    if (!rows.some((row) => row.step === step)) throw errors.usage(`Run '${id}' has no checkpoint at step ${step}.`);
    const last = readAttempts(folder).at(-1);
    if (last && (await isSomebodyTraining(folder, last)))
      throw errors.runExists(folder, 'its trainer owns the checkpoints');
    rmSync(join(folder, runFiles.checkpoints, checkpointName(step)), { recursive: true });
    return exitCodes.success;
  }
  if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else if (rows.length === 0) process.stdout.write(`${id} has no checkpoint yet.\n`);
  else {
    const lines = rows.map(({ step, epoch, knnTop1, bytes, retention }) => [
      String(step),
      epoch.toFixed(1),
      knnTop1 === null ? '-' : formatMetric('knnTop1', knnTop1),
      formatBytes(bytes),
      retention === 'next' ? 'deleted with the next checkpoint' : 'kept',
    ]);
    process.stdout.write(`${formatTable([['STEP', 'EPOCH', 'K-NN', 'SIZE', 'RETENTION'], ...lines])}\n`);
  }
  return exitCodes.success;
}
