import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { currentBootId, findProcessSync } from '../../experiments/store/processIdentity.ts';
import type { ProcessIdentity } from '../../protocol/records.ts';

/** A process that does nothing, to stand for a trainer: `endRuns` ends it with the run that it is named in. */
export async function startSleeper(): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  child.unref();
  const found = findProcessSync(child.pid!);
  if (found.kind === 'absent') throw new Error('internal: the process that was started is not there');
  return { pid: child.pid!, startTime: found.startTime, hostname: hostname(), bootId: currentBootId() };
}
