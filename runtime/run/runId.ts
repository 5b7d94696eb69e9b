import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nameRun } from '../../experiments/runId.ts';

/** A name that no run of the folder has yet. */
export function newRunId(runsFolder: string, stem: string, now: Date): string {
  return nameRun(stem, now, (id) => existsSync(join(runsFolder, id)));
}
