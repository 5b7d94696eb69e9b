import { join } from 'node:path';
import { configFingerprint } from '../../experiments/configFingerprint.ts';
import { listRuns } from '../../experiments/store/listRuns.ts';
import { readRunConfig } from '../../experiments/store/readRunConfig.ts';

/**
 * Finished runs by the fingerprint of their configuration: cells that need not be trained again. Runs of another version of
 * the studio are left out, since it may compute other numbers.
 */
export async function reusableRuns(runsFolder: string, studioVersion: string): Promise<Map<string, string>> {
  const { runs } = await listRuns(runsFolder);
  const reusable = new Map<string, string>();
  for (const { id, state, record } of runs) {
    if (state !== 'finished' || record?.environment.studioVersion !== studioVersion) continue;
    reusable.set(configFingerprint(await readRunConfig(join(runsFolder, id))), id);
  }
  return reusable;
}
