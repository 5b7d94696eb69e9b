import { dirname, resolve } from 'node:path';
import type { Sweep } from '../../configs/readSweep.ts';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { configFingerprint } from '../configFingerprint.ts';
import { flattenConfig } from '../flattenConfig.ts';
import { readRunConfig } from './readRunConfig.ts';
import type { RunOverview } from './summariseRun.ts';

/**
 * Finished runs by the fingerprint of their configuration: cells of the sweep that need not be trained again. Runs of another version
 * of the studio are left out, since it may compute other numbers.
 */
export async function reusableRuns(
  { runs }: Pick<Sweep, 'runs'>,
  known: Iterable<RunOverview>,
  studioVersion: string,
): Promise<Map<string, string>> {
  const wanted = new Set(runs.map(({ config }) => `${config.method} ${config.seed}`));
  const reusable = new Map<string, string>();
  for (const { id, folder, state, record } of known) {
    if (state !== 'finished' || record?.environment.studioVersion !== studioVersion) continue;
    // The record tells most of those that can't be meant, without reading their configuration.
    if (!wanted.has(`${record.method} ${record.seed}`)) continue;
    reusable.set(configFingerprint(await readRunConfig(folder)), id);
  }
  return reusable;
}

/** The fingerprint that a run of a cell would have. */
export function cellFingerprint(config: ResolvedConfig, { basePath }: Pick<Sweep, 'basePath'>): string {
  return configFingerprint(flattenConfig(withAbsolutePaths(config, dirname(basePath))));
}

/** A configuration whose data is found from any folder. */
export function withAbsolutePaths(config: ResolvedConfig, folder: string): ResolvedConfig {
  const { path, labels } = config.data;
  return {
    ...config,
    data: {
      ...config.data,
      ...(path !== undefined && { path: resolve(folder, path) }),
      ...(labels !== undefined && { labels: resolve(folder, labels) }),
    },
  };
}
