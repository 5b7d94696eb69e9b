import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import type { AttemptRecord } from '../../protocol/records.ts';
import { attemptFiles, attemptName, heartbeatIntervalMs, runFiles } from '../../protocol/runFolder.ts';

/**
 * Whether the trainer of an attempt still works: by the process table on its own host and boot, elsewhere by watching its
 * heartbeat for three beats.
 */
export async function isSomebodyTraining(runFolder: string, attempt: AttemptRecord): Promise<boolean> {
  const watch = new LivenessWatch();
  const path = join(runFolder, runFiles.attempts, attemptName(attempt.index), attemptFiles.heartbeat);
  for (let beat = 0; beat < 4; beat++) {
    const liveness = await watch.check(path, attempt.process, readCounter(path));
    if (liveness === 'alive') return true;
    if (liveness === 'gone') return false;
    await sleep(heartbeatIntervalMs);
  }
  return false;
}

function readCounter(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
