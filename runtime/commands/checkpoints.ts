import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { checkpointRows } from '../../experiments/checkpointRows.ts';
import { formatBytes, formatMetric } from '../../experiments/formatMetric.ts';
import { writeRequest } from '../../experiments/store/controlRequest.ts';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import { readCheckpoints, readRun } from '../../experiments/store/readRun.ts';
import { summariseRun } from '../../experiments/store/summariseRun.ts';
import { isActive } from '../../experiments/status.ts';
import { errors } from '../../protocol/errors.ts';
import { checkpointName, runFiles } from '../../protocol/runFolder.ts';
import { readRunFolder } from '../run/openRun.ts';
import { isSomebodyTraining } from '../run/otherTrainers.ts';
import { readAttempts } from '../run/runFolder.ts';
import { exitCodes } from './exitCodes.ts';
import { formatTable } from './runs.ts';

/** `simdino checkpoints`: what a run has kept, what it will keep, deleting one while nobody trains, and asking for one while somebody does. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      delete: { type: 'string' },
      now: { type: 'boolean', default: false },
      wait: { type: 'string', default: '60' },
      json: { type: 'boolean', default: false },
    },
  });
  const [id] = positionals;
  if (id === undefined) throw errors.usage('`simdino checkpoints` needs the name of a run.');
  const { folder, config } = readRunFolder(resolve(values['runs-dir']), id);
  if (values.now) return checkpointNow(id, folder, values.wait);
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

/** Asks a training run for a checkpoint after its next step, and waits for it. */
async function checkpointNow(id: string, folder: string, wait: string): Promise<number> {
  const waitMs = Number(wait) * 1000;
  if (!(waitMs >= 0)) throw errors.usage(`--wait takes seconds, got '${wait}'.`);
  const { state } = await summariseRun(folder, id, new LivenessWatch(), Date.now());
  // A run of another host may live, whatever this one can see of it.
  if (!isActive(state) && state !== 'stale') {
    process.stderr.write(`${id} is not training: ${state}\n`);
    return exitCodes.failed;
  }
  const known = new Set((await readCheckpoints(folder)).map(({ name }) => name));
  await writeRequest(folder, 'checkpoint', 'simdino checkpoints');
  for (const deadlineMs = performance.now() + waitMs; performance.now() < deadlineMs; await sleep(100)) {
    const fresh = (await readCheckpoints(folder)).find(({ name }) => !known.has(name));
    if (!fresh) continue;
    process.stdout.write(`${fresh.name}\n`);
    return exitCodes.success;
  }
  process.stderr.write(`${id} has not written one within ${wait} s; the request stays in its folder\n`);
  return exitCodes.failed;
}
