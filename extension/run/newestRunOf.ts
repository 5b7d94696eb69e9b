import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import type { RunWatch } from './runWatch.ts';

/** The newest run that was started from a configuration file. */
export function newestRunOf(watch: RunWatch, configPath: string): RunOverview | undefined {
  const runs = [...(watch.collection?.runs.values() ?? [])].filter(({ record }) => record?.configSource === configPath);
  return runs.sort((a, b) => ((a.record?.createdAt ?? '') < (b.record?.createdAt ?? '') ? 1 : -1))[0];
}
