import { isActive } from '../../experiments/status.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import type { QueuedRun } from '../../experiments/store/queue.ts';
import type { SweepOverview } from '../../experiments/store/runCollection.ts';
import { isUndecided, runName } from './runText.ts';

export const groupKinds = ['active', 'queued', 'finished', 'grids', 'archived'] as const;
export type GroupKind = (typeof groupKinds)[number];

/** A cell of a sweep that has no run folder yet, and that its scheduler will start. */
export interface QueuedCell {
  sweepId: string;
  runId: string;
}

export interface RunGroups {
  active: RunOverview[];
  /** Runs of the queue in their order, then cells that a living scheduler will start. */
  queued: (QueuedRun | QueuedCell)[];
  finished: RunOverview[];
  grids: SweepOverview[];
  archived: RunOverview[];
}

/**
 * Sorts runs into the tree's groups: newest first, starred ones before the others. A cell of a sweep is listed under its
 * grid, and under `active` while it trains. With a filter, runs and grids that it does not match are left out.
 */
export function groupRuns(
  runs: Iterable<RunOverview>,
  sweeps: readonly SweepOverview[],
  queued: readonly QueuedRun[],
  filter: string,
): RunGroups {
  const groups: RunGroups = { active: [], queued: [], finished: [], grids: [], archived: [] };
  const all = [...runs];
  const ids = new Set(all.map((run) => run.id));
  const sweepIds = new Set(sweeps.map((sweep) => sweep.id));
  const matches = matcher(filter);
  for (const run of all) {
    if (!matches(run)) continue;
    const isCell = run.record?.sweep != null && sweepIds.has(run.record.sweep.id);
    if (isActive(run.state) || run.state === 'queued' || isUndecided(run)) groups.active.push(run);
    else if (run.annotations.archived) groups.archived.push(run);
    else if (!isCell) groups.finished.push(run);
  }
  // A run that was launched is in the queue until its scheduler has seen its folder.
  const waiting = queued.filter(({ runId }) => !ids.has(runId));
  groups.queued.push(...waiting.filter(({ runId }) => runId.toLowerCase().includes(filter.toLowerCase())));
  for (const sweep of sweeps) {
    if (filter !== '' && !sweep.id.toLowerCase().includes(filter.toLowerCase())) continue;
    groups.grids.push(sweep);
    if (sweep.scheduler !== 'running') continue; // a paused one starts nothing
    for (const { runId } of sweep.record?.cells ?? []) {
      if (!ids.has(runId)) groups.queued.push({ sweepId: sweep.id, runId });
    }
  }
  for (const group of [groups.active, groups.finished, groups.archived]) group.sort(byStarThenAge);
  groups.grids.sort((a, b) => compare(b.record?.createdAt ?? '', a.record?.createdAt ?? '') || compare(a.id, b.id));
  return groups;
}

/** Whether a run is meant by a filter: each word occurs in its name, id, state, method or tags. */
export function matcher(filter: string): (run: RunOverview) => boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return (run) => {
    if (words.length === 0) return true;
    const { tags = [] } = run.annotations;
    const text = [runName(run), run.id, run.state, run.record?.method ?? '', ...tags].join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

function byStarThenAge(a: RunOverview, b: RunOverview): number {
  const star = Number(b.annotations.star ?? false) - Number(a.annotations.star ?? false);
  return star || compare(b.record?.createdAt ?? '', a.record?.createdAt ?? '') || compare(b.id, a.id);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
