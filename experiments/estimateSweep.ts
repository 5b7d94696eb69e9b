import { derive, knownTrainImages } from '../configs/derive.ts';
import type { Sweep } from '../configs/readSweep.ts';
import type { RunOverview } from './store/summariseRun.ts';

export interface SweepEstimate {
  /** Null where no run of this method was seen to tell the pace of a step. */
  durationMs: number | null;
  /** Which run the pace is taken from. */
  basis: string | null;
  diskBytes: number;
}

/**
 * What a sweep will take, at the pace of the newest run that finished (or trains), its time for starting and evaluating
 * included: a guide, not a promise.
 */
export function estimateSweep(sweep: Pick<Sweep, 'runs' | 'slots'>, known: Iterable<RunOverview>): SweepEstimate {
  const timed = [...known].filter(({ msPerStep, record }) => msPerStep !== null && record !== null);
  const newestFinishedFirst = (a: RunOverview, b: RunOverview): number =>
    Number(b.state === 'finished') - Number(a.state === 'finished') ||
    ((a.record?.createdAt ?? '') < (b.record?.createdAt ?? '') ? 1 : -1);
  const [basis] = timed.sort(newestFinishedFirst);
  let durationMs = sweep.runs.length * (basis ? overheadMs(basis) : 0);
  let diskBytes = 0;
  for (const { config } of sweep.runs) {
    const derived = derive(config, { trainImages: knownTrainImages(config) ?? basis?.record?.trainImages ?? 0 });
    durationMs += derived.totalSteps * (basis?.msPerStep ?? 0);
    diskBytes += config.checkpoint.keep * 16 * (derived.parametersBackbone + derived.parametersProjector);
  }
  return { durationMs: basis ? durationMs / sweep.slots : null, basis: basis?.id ?? null, diskBytes };
}

/** What a finished run took beside its steps; 0 where it was interrupted, since the pause is none of it. */
function overheadMs({ outcome, record, msPerStep, attemptCount, latest }: RunOverview): number {
  if (outcome?.type !== 'finished' || attemptCount !== 1) return 0;
  const wholeMs = outcome.time - Date.parse(record?.createdAt ?? '');
  const stepsMs = (latest['step'] ?? 0) * (msPerStep ?? 0);
  return wholeMs > stepsMs ? wholeMs - stepsMs : 0;
}
