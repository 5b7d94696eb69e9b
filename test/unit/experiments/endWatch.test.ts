import { beforeEach, describe, expect, it } from 'vitest';
import { EndWatch, type Ending } from '../../../experiments/endWatch.ts';
import type { QueuedRun } from '../../../experiments/store/queue.ts';
import type { SweepOverview } from '../../../experiments/store/runCollection.ts';
import type { RunOverview } from '../../../experiments/store/summariseRun.ts';
import type { RunState, SchedulerState, SweepRecord } from '../../../protocol/records.ts';
import { aRecord } from '../store/runFolders.ts';

const openedMs = Date.parse('2026-05-01T12:00:00Z');
const later = new Date(openedMs + 60_000).toISOString();
const earlier = new Date(openedMs - 60_000).toISOString();

let watch: EndWatch;
let runs: Map<string, RunOverview>;
let sweeps: SweepOverview[];
let queue: QueuedRun[];
beforeEach(() => {
  watch = new EndWatch();
  runs = new Map();
  sweeps = [];
  queue = [];
});

/** A run of the folder changes, or appears. */
function set(id: string, state: RunState, { sweep, attempt = 1, startedAt = later }: Shape = {}): RunOverview {
  const run: RunOverview = {
    id,
    folder: `/runs/${id}`,
    record: aRecord(id, { sweep: sweep === undefined ? null : { id: sweep, cell: {}, seed: 0 } }),
    annotations: {},
    lastAttempt: {
      version: 1,
      index: attempt,
      startedAt,
      process: { pid: 1, startTime: '1', hostname: 'h', bootId: 'b' },
      engine: 'onnx',
      device: 'CPU',
      resumedFrom: null,
    },
    attemptCount: attempt,
    state,
    liveness: 'alive',
    latest: {},
    msPerStep: null,
    outcome: null,
    job: null,
    problems: [],
  };
  runs.set(id, run);
  return run;
}
interface Shape {
  sweep?: string;
  attempt?: number;
  startedAt?: string;
}

let seen = new Map<string, RunOverview>();
beforeEach(() => {
  seen = new Map();
});

function look(): Ending[] {
  const changed = [...runs.values()].filter((run) => seen.get(run.id) !== run);
  seen = new Map(runs);
  return watch.look({ changed, runs, sweeps, queue, nowMs: openedMs });
}

const told = (): string[] =>
  look().map((ending) => {
    switch (ending.kind) {
      case 'run':
        return `${ending.run.id} ${ending.run.state}`;
      case 'unstarted':
        return `${ending.runId} never began`;
      case 'grid':
        return `${ending.grid.id} ${ending.grid.how} ${JSON.stringify(ending.grid.counts)}`;
    }
  });

describe('the end of a run', () => {
  it('is told once, whatever it was seen doing before', () => {
    for (const state of ['starting', 'running', 'stopping', 'stale', 'queued'] as const) set(state, state);
    expect(told()).toEqual([]);
    for (const state of ['starting', 'running', 'stopping', 'stale', 'queued']) set(state, 'finished');
    expect(told()).toEqual([
      'starting finished',
      'running finished',
      'stopping finished',
      'stale finished',
      'queued finished',
    ]);
    expect(told()).toEqual([]);
  });

  it('is no news where it was ended at the first look', () => {
    set('old', 'failed');
    expect(told()).toEqual([]);
  });

  it('is told of a run that failed before anybody saw it, and not of one brought from elsewhere', () => {
    told();
    set('launched by the queue', 'failed');
    set('copied here', 'finished', { startedAt: earlier });
    expect(told()).toEqual(['launched by the queue failed']);
  });

  it('is told again when a resumption failed between two looks', () => {
    set('r', 'failed');
    told();
    set('r', 'failed', { attempt: 2 });
    expect(told()).toEqual(['r failed']);
  });

  it('is not a change of its notes', () => {
    set('r', 'running');
    told();
    set('r', 'finished');
    told();
    set('r', 'finished');
    expect(told()).toEqual([]);
  });

  it('is told of what the queue could not start', () => {
    const entry = { folder: '', record: null, rank: 1, problems: [] };
    queue = [{ ...entry, runId: 'old', state: 'failed' }];
    expect(told()).toEqual([]);
    queue = [...queue, { ...entry, runId: 'r', state: 'taken' }];
    expect(told()).toEqual([]);
    queue = queue.map((one) => ({ ...one, state: 'failed' as const }));
    expect(told()).toEqual(['r never began']);
    expect(told()).toEqual([]);
  });
});

describe('the end of a grid', () => {
  const ids = ['s-1', 's-2', 's-3', 's-4'];
  const scheduler = (
    state: SchedulerState,
    { work = 'attempt 1', since = later }: { work?: string; since?: string } = {},
  ): void => {
    const cells: SweepRecord['cells'] = ids.map((runId) => ({ runId, cell: {}, seed: 0 }));
    const record = { version: 1, id: 's', cells } as SweepRecord;
    const status = { scheduler: state, heardAtMs: null, work, workedSinceMs: Date.parse(since) };
    sweeps = [{ id: 's', folder: '/runs/sweeps/s', record, problems: [], ...status }];
  };

  it('is one, with its counts, and its cells end silently', () => {
    scheduler('running');
    set('s-1', 'running', { sweep: 's' });
    expect(told()).toEqual([]);
    set('s-1', 'finished', { sweep: 's' });
    set('s-2', 'failed', { sweep: 's' });
    set('s-3', 'running', { sweep: 's' });
    expect(told()).toEqual([]);
    scheduler('idle');
    expect(told()).toEqual([]); // the last cell was read before the scheduler
    set('s-3', 'finished', { sweep: 's' });
    const [ending, ...others] = look();
    expect(others).toEqual([]);
    expect(ending).toEqual({
      kind: 'grid',
      grid: {
        id: 's',
        work: 'attempt 1',
        how: 'ended',
        counts: { all: 4, finished: 2, failed: 1, running: 0, left: 1 },
        failedRun: 's-2',
      },
    });
    expect(told()).toEqual([]);
  });

  it('says whether it was paused or cancelled', () => {
    for (const state of ['paused', 'cancelled'] as const) {
      scheduler('running');
      told();
      scheduler(state);
      told();
      expect(told()).toEqual([`s ${state} {"all":4,"finished":0,"failed":0,"running":0,"left":4}`]);
    }
  });

  it('is told again when it was run again, and not where it had ended at the first look', () => {
    scheduler('idle');
    expect([...told(), ...told()]).toEqual([]);
    scheduler('running', { work: 'attempt 2' });
    told();
    scheduler('idle', { work: 'attempt 2' });
    expect([...told(), ...told()]).toHaveLength(1);
  });

  it('is told of one that was begun and ended between two looks, and not of one brought from elsewhere', () => {
    scheduler('idle', { since: earlier });
    expect([...told(), ...told()]).toEqual([]);
    // Its missing cells were run, all of them failed at once, and nobody had looked meanwhile.
    scheduler('idle', { work: 'attempt 2' });
    for (const id of ids) set(id, 'failed', { sweep: 's' });
    expect(told()).toEqual([]);
    expect(told()).toEqual(['s ended {"all":4,"finished":0,"failed":4,"running":0,"left":0}']);
    expect([...told(), ...told()]).toEqual([]);

    watch = new EndWatch();
    runs = new Map();
    seen = new Map();
    sweeps = [];
    told();
    scheduler('idle', { since: earlier });
    expect([...told(), ...told()]).toEqual([]);
    sweeps = [];
    watch = new EndWatch();
    told();
    scheduler('idle', { work: 'job 7 of today' });
    expect([...told(), ...told()]).toEqual(['s ended {"all":4,"finished":0,"failed":0,"running":0,"left":4}']);
  });

  it('is not its scheduler\u2019s silence: it is told once, when the scheduler has ended', () => {
    scheduler('running');
    told();
    scheduler('silent');
    set('s-1', 'finished', { sweep: 's' });
    expect([...told(), ...told()]).toEqual([]);
    scheduler('running');
    expect([...told(), ...told()]).toEqual([]);
    scheduler('silent');
    told();
    scheduler('idle');
    expect([...told(), ...told(), ...told()]).toHaveLength(1);
  });

  it('is told of a grid whose scheduler was silent when the window opened', () => {
    scheduler('silent', { since: earlier });
    expect([...told(), ...told()]).toEqual([]);
    scheduler('idle', { since: earlier });
    expect([...told(), ...told()]).toHaveLength(1);
  });

  it('does not silence a cell that is resumed by itself, or that outlived its scheduler', () => {
    scheduler('idle');
    set('s-1', 'running', { sweep: 's' });
    told();
    set('s-1', 'finished', { sweep: 's' });
    expect(told()).toEqual(['s-1 finished']);
  });
});
