import { derive, knownTrainImages } from '../../configs/derive.ts';
import type { Sweep } from '../../configs/readSweep.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';

export interface SweepEstimate {
  /** Null where no run of this method was seen to tell the pace of a step. */
  durationMs: number | null;
  /** Which run the pace is taken from. */
  basis: string | null;
  diskBytes: number;
}

/** What a sweep will take, at the pace of the newest run whose steps were timed: a guide, not a promise. */
export function estimateSweep(sweep: Pick<Sweep, 'runs' | 'slots'>, known: Iterable<RunOverview>): SweepEstimate {
  const basis = [...known]
    .filter(({ msPerStep, record }) => msPerStep !== null && record !== null)
    .sort((a, b) => ((a.record?.createdAt ?? '') < (b.record?.createdAt ?? '') ? 1 : -1))[0];
  let durationMs = 0;
  let diskBytes = 0;
  for (const { config } of sweep.runs) {
    const derived = derive(config, { trainImages: knownTrainImages(config) ?? basis?.record?.trainImages ?? 0 });
    durationMs += derived.totalSteps * (basis?.msPerStep ?? 0);
    diskBytes += config.checkpoint.keep * 16 * (derived.parametersBackbone + derived.parametersProjector);
  }
  return { durationMs: basis ? durationMs / sweep.slots : null, basis: basis?.id ?? null, diskBytes };
}
