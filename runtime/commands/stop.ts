import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cancelWaitingJob } from '../../experiments/store/runJobs.ts';
import { killTree } from '../../experiments/store/killTree.ts';
import { isSameProcessAlive, LivenessWatch } from '../../experiments/store/liveness.ts';
import { summariseRun } from '../../experiments/store/summariseRun.ts';
import { isActive } from '../../experiments/status.ts';
import { errors } from '../../protocol/errors.ts';
import { writeRequest } from '../../experiments/store/controlRequest.ts';
import { exitCodes } from './exitCodes.ts';

/**
 * `simdino stop`: asks through the run folder, which works from any host, and waits for the run to end. With `--force` its processes are
 * ended at once, which only their own host can do; the steps since the last checkpoint are lost.
 */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      wait: { type: 'string', default: '120' },
      force: { type: 'boolean', default: false },
    },
  });
  const [id] = positionals;
  if (id === undefined) throw errors.usage('`simdino stop` needs the name of a run.');
  const waitMs = Number(values.wait) * 1000;
  if (!(waitMs >= 0)) throw errors.usage(`--wait takes seconds, got '${values.wait}'.`);

  const folder = join(resolve(values['runs-dir']), id);
  const watch = new LivenessWatch();
  const look = () => summariseRun(folder, id, watch, Date.now());
  const before = await look();
  if (!before.record) throw errors.runMissing(id, values['runs-dir']);
  if (await cancelWaitingJob(folder)) {
    process.stderr.write(`${id}: taken back from its cluster\n`);
    return exitCodes.success;
  }
  if (!isActive(before.state) && before.state !== 'stale') {
    process.stderr.write(`${id} is not running: ${before.state}\n`);
    return exitCodes.success;
  }

  if (values.force) {
    const identity = before.lastAttempt?.process;
    if (!identity || !isSameProcessAlive(identity)) {
      const host = identity ? `; it ran as process ${identity.pid} on ${identity.hostname}` : '';
      process.stderr.write(`${id} has no process on this machine to end${host}\n`);
      return exitCodes.failed;
    }
    const pids = await killTree(identity);
    process.stderr.write(`${id}: ended ${pids.join(', ')}\n`);
  } else await writeRequest(folder, 'stop', 'simdino stop');
  for (const deadlineMs = performance.now() + waitMs; performance.now() < deadlineMs; await sleep(200)) {
    const { state } = await look();
    if (isActive(state) || state === 'stale') continue;
    process.stderr.write(`${id}: ${state}\n`);
    return exitCodes.success;
  }
  process.stderr.write(`${id} has not stopped within ${values.wait} s; the request stays in its folder\n`);
  return exitCodes.failed;
}
