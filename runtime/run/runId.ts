import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nameRun } from '../../experiments/runId.ts';
import { queueFiles, queueFolder } from '../../protocol/runFolder.ts';

/** A name that no run of the folder has yet, none that waits in its queue, and none of those `tried` in vain. */
export function newRunId(runsFolder: string, stem: string, now: Date, tried?: ReadonlySet<string>): string {
  const places = [runsFolder, join(runsFolder, queueFolder, queueFiles.entries)];
  return nameRun(stem, now, (id) => tried?.has(id) === true || places.some((folder) => existsSync(join(folder, id))));
}
