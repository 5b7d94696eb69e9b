import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asEvent } from '../../experiments/store/checkRecords.ts';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import { outcomeOf } from '../../experiments/store/summariseRun.ts';
import { readJsonLines } from '../../experiments/store/tailJsonLines.ts';
import type { AttemptRecord } from '../../protocol/records.ts';
import { attemptFiles, attemptName, heartbeatIntervalMs, runFiles } from '../../protocol/runFolder.ts';

/**
 * Whether the trainer of an attempt still works: not when it has said how it ended; else by the process table on its own host
 * and boot, elsewhere by watching its heartbeat for three beats.
 */
export async function isSomebodyTraining(runFolder: string, attempt: AttemptRecord): Promise<boolean> {
  const folder = join(runFolder, runFiles.attempts, attemptName(attempt.index));
  const { lines } = await readJsonLines(join(folder, attemptFiles.events));
  if (outcomeOf(lines.map(asEvent).filter((event) => event !== undefined))) return false;
  const watch = new LivenessWatch();
  const path = join(folder, attemptFiles.heartbeat);
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
