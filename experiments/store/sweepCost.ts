import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '../../configs/readConfig.ts';
import type { Sweep } from '../../configs/readSweep.ts';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { estimateSweep, type SweepEstimate, type TimedRun } from '../estimateSweep.ts';
import { cellFingerprint, reusableRuns } from './reusableRuns.ts';
import type { RunOverview } from './summariseRun.ts';
import { isMissing } from './tailJsonLines.ts';

/** Newest runs of each method of the sweep, and of any, that are read to find those most like its cells. */
const candidates = 20;

/** What a sweep will take, from what the runs of a folder took. Without a version, no cell is taken from a run that is there. */
export async function sweepCost(
  sweep: Sweep,
  known: readonly RunOverview[],
  studioVersion: string | null,
): Promise<SweepEstimate> {
  const reusable = studioVersion === null ? new Map() : await reusableRuns(sweep, known, studioVersion);
  return estimateSweep(sweep, {
    timed: await timedRuns(sweep, known),
    isTrained: (config) => reusable.has(cellFingerprint(config, sweep)),
  });
}

async function timedRuns({ runs }: Pick<Sweep, 'runs'>, known: readonly RunOverview[]): Promise<TimedRun[]> {
  const newest = known
    .filter(({ msPerStep, record }) => msPerStep !== null && record !== null)
    .sort(
      (a, b) =>
        Number(b.state === 'finished') - Number(a.state === 'finished') ||
        ((a.record?.createdAt ?? '') < (b.record?.createdAt ?? '') ? 1 : -1),
    );
  const methods = new Set(runs.map(({ config }) => config.method));
  const chosen = new Set([
    ...[...methods].flatMap((method) => newest.filter(({ record }) => record?.method === method).slice(0, candidates)),
    ...newest.slice(0, candidates),
  ]);
  const read = await Promise.all(
    [...chosen].map(async (run): Promise<TimedRun | undefined> => {
      const config = await resolvedConfigOf(run.folder);
      return (
        config && {
          id: run.id,
          config,
          msPerStep: run.msPerStep ?? 0,
          overheadMs: overheadMs(run),
          trainImages: run.record?.trainImages ?? 0,
          finished: run.state === 'finished',
          createdAt: run.record?.createdAt ?? '',
        }
      );
    }),
  );
  return read.filter((run) => run !== undefined);
}

/** Undefined where it is missing, or of a version that this one can't read. */
async function resolvedConfigOf(runFolder: string): Promise<ResolvedConfig | undefined> {
  const path = join(runFolder, runFiles.config);
  try {
    return readConfig(await readFile(path, 'utf8'), { path, load: () => undefined }).config;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** What a finished run took beside its steps; 0 where it was interrupted, since the pause is none of it. */
function overheadMs({ outcome, record, msPerStep, attemptCount, latest }: RunOverview): number {
  if (outcome?.type !== 'finished' || attemptCount !== 1) return 0;
  const wholeMs = outcome.time - Date.parse(record?.createdAt ?? '');
  const stepsMs = (latest['step'] ?? 0) * (msPerStep ?? 0);
  return wholeMs > stepsMs ? wholeMs - stepsMs : 0;
}
