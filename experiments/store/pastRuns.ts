/** Runs as far as their results can be laid to their configurations. */
import type { PastRun } from '../../configs/language/pastResults.ts';
import { readRunConfig } from './readRunConfig.ts';
import { readRunMetrics } from './runMetrics.ts';
import type { RunOverview } from './summariseRun.ts';

/** The configuration of a run and its best k-NN accuracy; undefined when it has none or says nothing of itself. */
export async function readPastRun(run: RunOverview): Promise<PastRun | undefined> {
  if (run.latest['knnTop1'] === undefined || run.record === null) return undefined;
  const [config, metrics] = await Promise.all([readRunConfig(run.folder), readRunMetrics(run.folder)]);
  if (Object.keys(config).length === 0) return undefined;
  // Its metrics may be gone while a checkpoint still names the accuracy.
  const logged = [...metrics.table.series('knnTop1').values, run.latest['knnTop1']].filter(Number.isFinite);
  if (logged.length === 0) return undefined;
  const name = run.annotations.name?.trim() || run.id;
  return { name, createdAt: run.record.createdAt, config, knnTop1: Math.max(...logged) };
}
