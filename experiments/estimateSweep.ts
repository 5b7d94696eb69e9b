import { derive, knownTrainImages } from '../configs/derive.ts';
import type { Sweep } from '../configs/readSweep.ts';
import type { ResolvedConfig } from '../configs/schema.ts';
import { bytesPerParameter, estimateFrom, parameterCount } from '../configs/stepCost.ts';

/** What a run has taken, to tell what others will. */
export interface TimedRun {
  id: string;
  config: ResolvedConfig;
  msPerStep: number;
  /** What it took beside its steps; 0 where that is not known. */
  overheadMs: number;
  trainImages: number;
  finished: boolean;
  createdAt: string;
}

export interface SweepEstimate {
  /** Null where no run tells the pace of a step: there is none, or its steps are too small to compare. */
  durationMs: number | null;
  /** Which runs the pace is taken from. */
  bases: string[];
  /** Cells that a finished run has trained: they take nothing. */
  reused: number;
  diskBytes: number;
}

/**
 * What a sweep will take: a guide, not a promise. Each cell goes at the pace of the run that is most like it - of its method and
 * model, if there is one, and finished - in proportion to the work of a step, the time for starting and evaluating included.
 */
export function estimateSweep(
  { runs, slots }: Pick<Sweep, 'runs' | 'slots'>,
  { timed, isTrained = () => false }: { timed: readonly TimedRun[]; isTrained?: (config: ResolvedConfig) => boolean },
): SweepEstimate {
  const open = runs.map(({ config }) => config).filter((config) => !isTrained(config));
  const bases = new Set<string>();
  const durations = open.map((config) => {
    for (const basis of mostAlikeFirst(timed, config)) {
      const measured = { ...basis, name: basis.id, memoryBytes: undefined };
      const { msPerStep, isTelling } = estimateFrom(measured, config);
      if (!isTelling) continue;
      bases.add(basis.id);
      const trainImages = knownTrainImages(config) ?? basis.trainImages;
      return basis.overheadMs + derive(config, { trainImages }).totalSteps * msPerStep;
    }
    return null;
  });
  const known = durations.filter((duration) => duration !== null);
  return {
    durationMs: known.length === durations.length ? durationInLanes(known, slots) : null,
    bases: [...bases],
    reused: runs.length - open.length,
    diskBytes: open.reduce(
      (bytes, config) => bytes + config.checkpoint.keep * bytesPerParameter * parameterCount(config),
      0,
    ),
  };
}

function mostAlikeFirst(timed: readonly TimedRun[], config: ResolvedConfig): TimedRun[] {
  const isSame = (key: 'model' | 'data', other: ResolvedConfig): boolean =>
    JSON.stringify(other[key]) === JSON.stringify(config[key]);
  const likeness = (run: TimedRun): number =>
    8 * Number(run.config.method === config.method) +
    4 * Number(isSame('model', run.config)) +
    2 * Number(run.finished) +
    Number(isSame('data', run.config));
  return [...timed].sort((a, b) => likeness(b) - likeness(a) || (a.createdAt < b.createdAt ? 1 : -1));
}

/** Until the last of them has ended, when each lane takes the next as soon as it is free. */
function durationInLanes(durations: readonly number[], lanes: number): number {
  const freeAt = new Array<number>(lanes).fill(0);
  for (const duration of durations) {
    const next = freeAt.indexOf(Math.min(...freeAt));
    freeAt[next] = freeAt[next]! + duration;
  }
  return Math.max(...freeAt);
}
