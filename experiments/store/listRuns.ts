import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunId, sweepsFolder } from '../../protocol/runFolder.ts';
import { forEachConcurrently } from './forEachConcurrently.ts';
import { LivenessWatch } from './liveness.ts';
import { summariseRun, type RunOverview } from './summariseRun.ts';
import { isMissing } from './tailJsonLines.ts';

export interface RunList {
  /** By name. */
  runs: RunOverview[];
  /** Folders that are no runs, and why. */
  skipped: { name: string; reason: string }[];
}

/**
 * Lists the runs of a folder. No folder, no runs.
 *
 * Liveness of runs on other hosts needs more than one look: pass the same `watch` to every call.
 */
export async function listRuns(
  runsFolder: string,
  { watch = new LivenessWatch(), nowMs = Date.now() }: { watch?: LivenessWatch; nowMs?: number } = {},
): Promise<RunList> {
  const { ids, skipped } = await listRunIds(runsFolder);
  const runs: RunOverview[] = [];
  await forEachConcurrently(ids, async (id, index) => {
    try {
      runs[index] = await summariseRun(join(runsFolder, id), id, watch, nowMs);
    } catch (error) {
      if (!isMissing(error)) skipped.push({ name: id, reason: (error as Error).message });
    }
  });
  return { runs: runs.filter((run) => run !== undefined), skipped };
}

/** The names of the runs of a folder, sorted. */
export async function listRunIds(
  runsFolder: string,
): Promise<{ ids: string[]; skipped: { name: string; reason: string }[] }> {
  const skipped: { name: string; reason: string }[] = [];
  const ids: string[] = [];
  for (const entry of await entriesOf(runsFolder)) {
    if (entry.name.startsWith('.') || entry.name === sweepsFolder) continue;
    if (!entry.isDirectory() && !entry.isSymbolicLink()) continue;
    if (isRunId(entry.name)) ids.push(entry.name);
    else skipped.push({ name: entry.name, reason: 'its name is no run name: letters, digits, `.`, `_` and `-` only' });
  }
  ids.sort((a, b) => (a < b ? -1 : 1));
  return { ids, skipped };
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
