import type { ShownState } from '../protocol/panelMessages.ts';
import type { RunState } from '../protocol/records.ts';

/** What can be known about the process of a run's last attempt (see store/liveness.ts). */
export type Liveness =
  /** In the process table of this host, or its heartbeat advances. */
  | 'alive'
  /** Not in the process table of the host and boot that it ran on. */
  | 'gone'
  /** Elsewhere, and its heartbeat has not advanced for `staleAfterMs`. */
  | 'silent'
  /** Elsewhere, and not watched for long enough to tell. */
  | 'undecided';

/** The facts that a run's state follows from. */
export interface RunFacts {
  /** Whether any attempt was opened. */
  attempted: boolean;
  liveness: Liveness;
  /** How the last attempt ended, in its own words; null while it has said nothing. */
  outcome: 'finished' | 'stopped' | 'failed' | null;
  /** Whether the last attempt has said that it trains: its `started` event or a metric line. */
  started: boolean;
  /** Whether somebody asked the last attempt to stop. */
  stopRequested: boolean;
  /** Whether the run waits for a free slot: a cell of a sweep that was not launched yet. */
  queued: boolean;
  /** How long the run has been known to exist; tells a starting run without an attempt from one that never made it. */
  ageMs: number;
}

/** A run without an attempt is believed to be starting for this long. */
export const startingForMs = 60_000;

/**
 * The state of a run.
 *
 * What the run itself said last decides first; then the process. Silence on another host is `stale`, never `crashed`,
 * and a process that was not seen alive is never `running`.
 */
export function deriveState(facts: RunFacts): RunState {
  if (!facts.attempted) {
    if (facts.queued) return 'queued';
    return facts.ageMs < startingForMs ? 'starting' : 'crashed';
  }
  if (facts.outcome) return facts.outcome;
  switch (facts.liveness) {
    case 'gone':
      return 'crashed';
    case 'silent':
    case 'undecided':
      return 'stale';
    case 'alive':
      if (facts.stopRequested) return 'stopping';
      return facts.started ? 'running' : 'starting';
  }
}

/** States in which a process works on the run, or may. */
export function isActive(state: ShownState): boolean {
  return state === 'starting' || state === 'running' || state === 'stopping';
}

/** States from which `resume` continues a run. */
export function isResumable(state: RunState): boolean {
  return state === 'stopped' || state === 'failed' || state === 'crashed';
}
