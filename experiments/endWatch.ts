/**
 * What came to an end between two looks at a runs folder, and is to be told: each end once, and a grid as one, not as its cells.
 *
 * A run that failed before anybody saw it train, one that was not heard of for a while, and one that the queue could not even start
 * have ended like any other; so has a grid that was begun and ended between two looks. What had ended before the first look is no
 * news, and a scheduler that is silent has not ended.
 */
import type { RunState, SweepRecord } from '../protocol/records.ts';
import type { QueuedRun } from './store/queue.ts';
import type { RunOverview } from './store/summariseRun.ts';
import type { SweepOverview } from './store/runCollection.ts';
import { isActive } from './status.ts';

export type Ending =
  | { kind: 'run'; run: RunOverview }
  /** The queue launched it, and its process was gone before there was a run. */
  | { kind: 'unstarted'; runId: string; launch: number }
  | { kind: 'grid'; grid: EndedGrid };

export interface EndedGrid {
  id: string;
  /** Names the time that it was worked on: a grid that is run again ends again. */
  work: string;
  how: 'ended' | 'paused' | 'cancelled';
  counts: CellCounts;
  /** The first cell that failed; null where none has. */
  failedRun: string | null;
}

export interface CellCounts {
  all: number;
  finished: number;
  failed: number;
  /** Stopped, waiting or never started. */
  left: number;
  /** Still at work, though their scheduler is gone. */
  running: number;
}

export interface Look {
  /** Runs that have changed since the last look; all of them at the first. */
  changed: readonly RunOverview[];
  runs: ReadonlyMap<string, Pick<RunOverview, 'state'>>;
  sweeps: readonly SweepOverview[];
  queue: readonly QueuedRun[];
  nowMs: number;
}

export class EndWatch {
  #sinceMs: number | undefined;
  #known = new Map<string, { state: RunState; attemptCount: number }>();
  /** Grids that were being worked on. */
  #working = new Set<string>();
  /** The newest work on each grid, as last seen. */
  #works = new Map<string, string>();
  /** Grids whose scheduler has ended: told at the next look, when their last cells were read again. */
  #due = new Set<string>();
  #unstarted = new Set<string>();

  look({ changed, runs, sweeps, queue, nowMs }: Look): Ending[] {
    const isFirst = this.#sinceMs === undefined;
    this.#sinceMs ??= nowMs;
    const endings: Ending[] = [];
    for (const run of changed) {
      const isNews = !isFirst && this.#hasJustEnded(run) && !this.#isToldWithItsGrid(run, sweeps);
      this.#known.set(run.id, { state: run.state, attemptCount: run.attemptCount });
      if (isNews) endings.push({ kind: 'run', run });
    }
    for (const sweep of sweeps) {
      const wasWorkedOn = !isFirst && this.#wasWorkedOn(sweep);
      this.#works.set(sweep.id, sweep.work);
      if (isWorkedOn(sweep)) {
        this.#working.add(sweep.id);
        this.#due.delete(sweep.id);
      } else if (this.#working.delete(sweep.id) || wasWorkedOn) {
        this.#due.add(sweep.id);
      } else if (this.#due.delete(sweep.id)) {
        endings.push({ kind: 'grid', grid: endedGrid(sweep, runs) });
      }
    }
    const failed = queue.filter(({ state }) => state === 'failed').map(({ runId, rank }) => ({ runId, launch: rank }));
    for (const one of failed) {
      if (!isFirst && !this.#unstarted.has(one.runId)) endings.push({ kind: 'unstarted', ...one });
    }
    this.#unstarted = new Set(failed.map(({ runId }) => runId));
    return endings;
  }

  #hasJustEnded(run: RunOverview): boolean {
    if (!hasEnded(run.state)) return false;
    const before = this.#known.get(run.id);
    if (before) return !hasEnded(before.state) || run.attemptCount > before.attemptCount;
    // Not seen before: it was started and ended in between, or was brought here from elsewhere.
    const startedAt = run.lastAttempt?.startedAt ?? run.record?.createdAt ?? '';
    return Date.parse(startedAt) >= (this.#sinceMs ?? Infinity);
  }

  /** Whether somebody began to work on the grid since the last look. */
  #wasWorkedOn({ id, work, workedSinceMs }: SweepOverview): boolean {
    if (work === '') return false;
    const before = this.#works.get(id);
    if (before !== undefined) return before !== work;
    // Not seen before: it was made, or was brought here from elsewhere.
    return workedSinceMs !== null && workedSinceMs >= (this.#sinceMs ?? Infinity);
  }

  #isToldWithItsGrid({ record }: RunOverview, sweeps: readonly SweepOverview[]): boolean {
    const sweep = sweeps.find(({ id }) => id === record?.sweep?.id);
    if (!sweep) return false;
    return isWorkedOn(sweep) || this.#working.has(sweep.id) || this.#due.has(sweep.id) || this.#wasWorkedOn(sweep);
  }
}

/** A silent scheduler may work. */
function isWorkedOn({ scheduler }: SweepOverview): boolean {
  return scheduler === 'running' || scheduler === 'pausing' || scheduler === 'silent';
}

function hasEnded(state: RunState): boolean {
  return !isActive(state) && state !== 'stale' && state !== 'queued';
}

function endedGrid({ id, scheduler, work, record }: SweepOverview, runs: Look['runs']): EndedGrid {
  const cells = record?.cells ?? [];
  return {
    id,
    work,
    how: scheduler === 'paused' || scheduler === 'cancelled' ? scheduler : 'ended',
    counts: countCells(cells, runs),
    failedRun: cells.find(({ runId }) => hasFailed(runs.get(runId)?.state))?.runId ?? null,
  };
}

export function countCells(cells: SweepRecord['cells'], runs: Look['runs']): CellCounts {
  const states = cells.map(({ runId }) => runs.get(runId)?.state);
  const count = (matches: (state: RunState | undefined) => boolean): number => states.filter(matches).length;
  const finished = count((state) => state === 'finished');
  const failed = count(hasFailed);
  const running = count((state) => state !== undefined && (isActive(state) || state === 'stale'));
  return { all: states.length, finished, failed, running, left: states.length - finished - failed - running };
}

function hasFailed(state: RunState | undefined): boolean {
  return state === 'failed' || state === 'crashed';
}
