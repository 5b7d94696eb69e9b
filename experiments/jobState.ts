/** A run whose trainer is a job of a cluster: what the run folder says and what the cluster says, made one. */
import type { RunState } from '../protocol/records.ts';
import { isActive } from './status.ts';

/**
 * What the cluster says of a job. `ended` is every way of having ended, told apart by `reason` (COMPLETED, NODE_FAIL, ...);
 * `unknown` is when the cluster can't be asked from here.
 */
export interface JobState {
  phase: 'waiting' | 'working' | 'leaving' | 'ended' | 'unknown';
  /** The cluster's own word, or why it waits. */
  reason: string;
  /** When it last began to work, Unix time; null while it waits or is not known. */
  startedMs: number | null;
}

/** Clocks of nodes and of their controller agree to within this. */
const clockSkewMs = 5000;

/**
 * The state of a run that was given to a cluster. A run that says it is finished is. Otherwise the cluster knows what the folder
 * can't: that a job waits, or waits again after it was pre-empted; and that a job is gone, where a trainer on another host that
 * fell silent would otherwise only be `stale`.
 *
 * @param folder the state that follows from the run folder alone
 * @param attemptedMs when the last attempt was opened, Unix time; null when there is none
 */
export function mergeJobState(
  folder: RunState,
  job: JobState,
  { attemptedMs }: { attemptedMs: number | null },
): RunState {
  if (folder === 'finished') return folder;
  switch (job.phase) {
    case 'unknown':
      return folder;
    case 'waiting':
      return 'queued';
    case 'working':
      if (isActive(folder)) return folder;
      // A silent trainer works, says the cluster.
      if (folder === 'stale') return 'running';
      // The attempt that ended is this job's, which is about to end; or an earlier one's, and this job's is on its way.
      return attemptedMs !== null && job.startedMs !== null && attemptedMs >= job.startedMs - clockSkewMs
        ? folder
        : 'starting';
    case 'leaving':
      return isActive(folder) || folder === 'stale' ? 'stopping' : folder;
    case 'ended':
      if (attemptedMs === null) return job.reason.startsWith('CANCELLED') ? 'stopped' : 'crashed';
      return isActive(folder) || folder === 'stale' ? 'crashed' : folder;
  }
}
