import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { staleAfterMs } from '../../protocol/runFolder.ts';
import type { ProcessIdentity } from '../../protocol/records.ts';
import type { Liveness } from '../status.ts';
import { currentBootId, findProcess, findProcessSync, type ProcessLookup } from './processIdentity.ts';

/** What a `LivenessWatch` asks the machine; an argument so that tests can be another host at another time. */
export interface Machine {
  hostname: string;
  bootId: () => string;
  find: (pid: number) => Promise<ProcessLookup>;
  /** A clock that never jumps, in ms. */
  nowMs: () => number;
}

const thisMachine: Machine = {
  hostname: hostname(),
  bootId: currentBootId,
  find: findProcess,
  nowMs: () => performance.now(),
};

/**
 * Tells whether the processes of runs live.
 *
 * On the host and boot that a process was started on, the process table decides: the pid must be there with the same start
 * time. Elsewhere only the heartbeat speaks: one that advanced lately means alive, one unchanged for `staleAfterMs` of this
 * watch's own clock means silent, and before either was seen the answer is `undecided`. File times are not looked at: the
 * clocks of two hosts differ.
 */
export class LivenessWatch {
  #heartbeats = new Map<string, { counter: string; sinceMs: number; advanced: boolean }>();

  constructor(private readonly machine: Machine = thisMachine) {}

  /** `key` names the attempt, `heartbeat` is its counter as read now (null when the file is not there). */
  async check(key: string, identity: ProcessIdentity | null, heartbeat: string | null): Promise<Liveness> {
    const fromHeartbeat = this.#watch(key, heartbeat);
    if (!identity || !this.#isHere(identity)) return fromHeartbeat;
    const found = await this.machine.find(identity.pid);
    if (found.kind === 'absent') return 'gone';
    // Where start times are not told, the pid may have been given to another process: only a heartbeat proves life.
    if (found.startTime === '' || identity.startTime === '') return fromHeartbeat;
    return found.startTime === identity.startTime ? 'alive' : 'gone';
  }

  forget(key: string): void {
    this.#heartbeats.delete(key);
  }

  #isHere(identity: ProcessIdentity): boolean {
    return identity.hostname === this.machine.hostname && identity.bootId === this.machine.bootId();
  }

  #watch(key: string, heartbeat: string | null): Liveness {
    const counter = heartbeat ?? '';
    const nowMs = this.machine.nowMs();
    const seen = this.#heartbeats.get(key);
    if (!seen || seen.counter !== counter) {
      this.#heartbeats.set(key, { counter, sinceMs: nowMs, advanced: seen !== undefined });
      return seen ? 'alive' : 'undecided';
    }
    if (nowMs - seen.sinceMs >= staleAfterMs) return 'silent';
    return seen.advanced ? 'alive' : 'undecided';
  }
}

/**
 * Whether a process of this host lives for certain: the pid is there with the same start time (where the system tells
 * none, a process with that pid). False for processes of other hosts, of which nothing can be known at once.
 */
export function isSameProcessAlive(identity: ProcessIdentity): boolean {
  if (identity.hostname !== hostname() || identity.bootId !== currentBootId()) return false;
  const found = findProcessSync(identity.pid);
  return found.kind === 'present' && found.startTime === identity.startTime;
}
