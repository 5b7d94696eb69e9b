import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EndWatch, type Ending } from '../endWatch.ts';
import { isActive } from '../status.ts';
import { listRunIds } from './listRuns.ts';
import { LivenessWatch } from './liveness.ts';
import { listSweeps, schedulerStatus, type SchedulerStatus, type SweepContents } from './readSweep.ts';
import { readQueue, type QueueOverview } from './queue.ts';
import { summariseRun, type RunOverview } from './summariseRun.ts';
import { isMissing } from './tailJsonLines.ts';
import { runFiles, sweepsFolder } from '../../protocol/runFolder.ts';

export type SweepOverview = SweepContents & SchedulerStatus;

/** What one look at the runs folder changed. */
export interface Changes {
  changed: RunOverview[];
  removed: string[];
  sweepsChanged: boolean;
  queueChanged: boolean;
  /** What came to an end since the last look. */
  ended: Ending[];
}

/** Runs that ended are looked at again so many at a time: they may have been resumed elsewhere. */
const revisitedPerLook = 25;
/** The folder is listed anew at least this often; file systems that keep no folder times are out there. */
const relistEveryMs = 15_000;
const concurrency = 16;

/**
 * The runs of a folder as last seen.
 *
 * `look` costs what the active runs cost: others are read when they appear, when a hint names them, and in turn. It only
 * reads, so that any number of windows can look at one folder.
 */
export class RunCollection {
  readonly runs = new Map<string, RunOverview>();
  sweeps: SweepOverview[] = [];
  queue: QueueOverview = { runs: [], limits: {}, scheduler: 'idle' };
  /** Folders that are no runs, and why. */
  skipped: { name: string; reason: string }[] = [];
  readonly liveness = new LivenessWatch();
  readonly #ends = new EndWatch();
  #fingerprints = new Map<string, string>();
  #touched = new Map<string, string>();
  #sweepsFingerprint = '';
  #queueFingerprint = '';
  #hinted = new Set<string>();
  #revisitFrom = 0;
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #folderTimes = '';

  constructor(readonly folder: string) {}

  get activeRuns(): RunOverview[] {
    return [...this.runs.values()].filter((run) => isActive(run.state));
  }

  /** Something in a run's folder changed: read it at the next look. Without an id, list the folder anew. */
  hint(id?: string): void {
    if (id === undefined) this.#listedAtMs = Number.NEGATIVE_INFINITY;
    else this.#hinted.add(id);
  }

  /** Brings the collection up to date. `monotonicMs` never jumps, `nowMs` is Unix time. */
  async look({ monotonicMs, nowMs }: { monotonicMs: number; nowMs: number }): Promise<Changes> {
    const changes: Changes = { changed: [], removed: [], sweepsChanged: false, queueChanged: false, ended: [] };
    const ids = await this.#idsToRead(monotonicMs, changes);
    await inLanes(ids, (id) => this.#read(id, nowMs, changes));
    changes.sweepsChanged = await this.#readSweeps();
    changes.queueChanged = await this.#readQueue();
    const { changed } = changes;
    changes.ended = this.#ends.look({
      changed,
      runs: this.runs,
      sweeps: this.sweeps,
      queue: this.queue.runs,
      nowMs,
    });
    return changes;
  }

  async #idsToRead(monotonicMs: number, changes: Changes): Promise<string[]> {
    const times = await modificationTimes([this.folder, join(this.folder, sweepsFolder)]);
    if (times !== this.#folderTimes || monotonicMs - this.#listedAtMs >= relistEveryMs) {
      this.#folderTimes = times;
      this.#listedAtMs = monotonicMs;
      const { ids, skipped } = await listRunIds(this.folder);
      this.skipped = skipped;
      const there = new Set(ids);
      for (const id of this.runs.keys()) if (!there.has(id)) this.#remove(id, changes);
      for (const id of ids) if (!this.runs.has(id)) this.#hinted.add(id);
    }
    const wanted = new Set(this.#hinted);
    this.#hinted.clear();
    for (const run of this.runs.values())
      if (isActive(run.state) || run.state === 'stale' || run.state === 'queued') wanted.add(run.id);
    for (const id of await this.#touchedSince()) wanted.add(id);
    return [...wanted];
  }

  /** Of the next few runs in turn, those with a new attempt, new notes or a new evaluation. */
  async #touchedSince(): Promise<string[]> {
    const known = [...this.runs.keys()];
    const count = Math.min(revisitedPerLook, known.length);
    const turn = Array.from({ length: count }, (_, i) => known[(this.#revisitFrom + i) % known.length] as string);
    this.#revisitFrom = known.length === 0 ? 0 : (this.#revisitFrom + count) % known.length;
    const touched: string[] = [];
    await inLanes(turn, async (id) => {
      if ((await this.#touchTimes(id)) !== this.#touched.get(id)) touched.push(id);
    });
    return touched;
  }

  /** Changes when an attempt opens, notes or an evaluation are written, or the folder goes. */
  #touchTimes(id: string): Promise<string> {
    const folder = join(this.folder, id);
    const inside = [runFiles.attempts, runFiles.annotations, runFiles.evaluations].map((name) => join(folder, name));
    return modificationTimes([folder, ...inside]);
  }

  async #read(id: string, nowMs: number, changes: Changes): Promise<void> {
    let run: RunOverview;
    let evaluated: string;
    try {
      const times = await this.#touchTimes(id);
      if (times.startsWith(' ')) {
        this.#remove(id, changes); // the folder itself has no time: it is gone
        return;
      }
      this.#touched.set(id, times);
      evaluated = await modificationTimes([join(this.folder, id, runFiles.evaluations)]);
      run = await summariseRun(join(this.folder, id), id, this.liveness, nowMs);
    } catch (error) {
      if (isMissing(error)) this.#remove(id, changes);
      else if (!this.skipped.some(({ name }) => name === id)) {
        this.skipped.push({ name: id, reason: (error as Error).message });
      }
      return;
    }
    const before = this.runs.get(id);
    // A summary reads the last lines only: what was seen before them still stands.
    if (before?.attemptCount === run.attemptCount) run.latest = { ...before.latest, ...run.latest };
    // An unchanged run stays the same object: whoever keeps one knows that nothing is new.
    const fingerprint = JSON.stringify(run) + evaluated;
    if (before && this.#fingerprints.get(id) === fingerprint) return;
    this.runs.set(id, run);
    this.#fingerprints.set(id, fingerprint);
    changes.changed.push(run);
  }

  #remove(id: string, changes: Changes): void {
    this.#fingerprints.delete(id);
    this.#touched.delete(id);
    if (this.runs.delete(id)) changes.removed.push(id);
  }

  async #readSweeps(): Promise<boolean> {
    const sweeps: SweepOverview[] = [];
    for (const sweep of await listSweeps(this.folder))
      sweeps.push({ ...sweep, ...(await schedulerStatus(sweep.folder, this.liveness)) });
    this.sweeps = sweeps;
    const fingerprint = JSON.stringify(sweeps);
    const changed = fingerprint !== this.#sweepsFingerprint;
    this.#sweepsFingerprint = fingerprint;
    return changed;
  }

  async #readQueue(): Promise<boolean> {
    this.queue = await readQueue(this.folder, this.liveness);
    const fingerprint = JSON.stringify(this.queue);
    const changed = fingerprint !== this.#queueFingerprint;
    this.#queueFingerprint = fingerprint;
    return changed;
  }
}

/** Modification times of files and folders as one text; what is not there has none. */
async function modificationTimes(paths: readonly string[]): Promise<string> {
  const times = paths.map(async (path) => {
    try {
      return String((await stat(path)).mtimeMs);
    } catch (error) {
      if (isMissing(error)) return '';
      throw error;
    }
  });
  return (await Promise.all(times)).join(' ');
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane));
}
