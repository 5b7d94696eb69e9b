import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EndWatch, type Ending } from '../endWatch.ts';
import { isActive } from '../status.ts';
import { forEachConcurrently } from './forEachConcurrently.ts';
import { listRunIds } from './listRuns.ts';
import { LivenessWatch } from './liveness.ts';
import { listSweepIds, readSweep, schedulerStatus, type SchedulerStatus, type SweepContents } from './readSweep.ts';
import { readQueue, type QueueOverview } from './queue.ts';
import { contentsOf, isUnreadable, summariseRun, type FolderContents, type RunOverview } from './summariseRun.ts';
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
/**
 * What may change in the folder of a run or a sweep that nothing works in, beside what shows in the folder's own time: a new
 * attempt, notes, an evaluation, a job of a cluster.
 */
const touchable = [runFiles.attempts, runFiles.annotations, runFiles.evaluations, runFiles.jobs];

/**
 * The runs of a folder as last seen.
 *
 * `look` costs what the active runs cost: others are read when they appear, when a hint names them, and when their folder was
 * touched, which a few of them are asked in turn. It only reads, so that any number of windows can look at one folder. A disk
 * may be far away: what does not depend on an answer does not wait for it.
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
  /** Of runs that were read: when their folder was touched last. */
  #touched = new Map<string, TouchTimes>();
  #settledSweeps = new Map<string, { sweep: SweepOverview; touched: TouchTimes }>();
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
    [, changes.sweepsChanged, changes.queueChanged] = await Promise.all([
      this.#readRuns(monotonicMs, nowMs, changes),
      this.#readSweeps(),
      this.#readQueue(),
    ]);
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

  async #readRuns(monotonicMs: number, nowMs: number, changes: Changes): Promise<void> {
    const ids = await this.#idsToRead(monotonicMs, changes);
    await forEachConcurrently(ids, (id) => this.#read(id, nowMs, changes));
  }

  async #idsToRead(monotonicMs: number, changes: Changes): Promise<string[]> {
    const times = String((await timeOf(this.folder)) ?? '');
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

  /** Of the next few runs in turn, those whose folder was touched since it was read, or went. */
  async #touchedSince(): Promise<string[]> {
    const known = [...this.runs.keys()];
    const count = Math.min(revisitedPerLook, known.length);
    const turn = Array.from({ length: count }, (_, i) => known[(this.#revisitFrom + i) % known.length] as string);
    this.#revisitFrom = known.length === 0 ? 0 : (this.#revisitFrom + count) % known.length;
    const touched: string[] = [];
    await forEachConcurrently(turn, async (id) => {
      const before = this.#touched.get(id);
      if (!before || (await isTouched(join(this.folder, id), before))) touched.push(id);
    });
    return touched;
  }

  async #read(id: string, nowMs: number, changes: Changes): Promise<void> {
    const folder = join(this.folder, id);
    let run: RunOverview;
    let touched: TouchTimes | undefined;
    try {
      touched = await touchTimes(folder);
      if (!touched) {
        this.#remove(id, changes);
        return;
      }
      run = await summariseRun(folder, id, this.liveness, nowMs, touched.there);
    } catch (error) {
      if (isMissing(error)) this.#remove(id, changes);
      else if (!this.skipped.some(({ name }) => name === id)) {
        this.skipped.push({ name: id, reason: (error as Error).message });
      }
      return;
    }
    // A record that is half-written becomes whole without a sign on its folder.
    if (isUnreadable(run)) this.#touched.delete(id);
    else this.#touched.set(id, touched);
    const before = this.runs.get(id);
    // A summary reads the last lines only: what was seen before them still stands.
    if (before?.attemptCount === run.attemptCount) run.latest = { ...before.latest, ...run.latest };
    // An unchanged run stays the same object: whoever keeps one knows that nothing is new.
    const fingerprint = JSON.stringify([run, touched.times.get(runFiles.evaluations)]);
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
    const ids = await listSweepIds(this.folder);
    const sweeps = new Array<SweepOverview>(ids.length);
    await forEachConcurrently(ids, async (id, index) => {
      sweeps[index] = await this.#readSweep(id);
    });
    for (const id of this.#settledSweeps.keys()) if (!ids.includes(id)) this.#settledSweeps.delete(id);
    this.sweeps = sweeps;
    const fingerprint = JSON.stringify(sweeps);
    const changed = fingerprint !== this.#sweepsFingerprint;
    this.#sweepsFingerprint = fingerprint;
    return changed;
  }

  /** A sweep that nobody works on is read again when its folder was touched. */
  async #readSweep(id: string): Promise<SweepOverview> {
    const folder = join(this.folder, sweepsFolder, id);
    const known = this.#settledSweeps.get(id);
    if (known && !(await isTouched(folder, known.touched))) return known.sweep;
    this.#settledSweeps.delete(id);
    const touched = await touchTimes(folder);
    const [contents, status] = await Promise.all([
      readSweep(folder),
      schedulerStatus(folder, this.liveness, touched?.there),
    ]);
    const sweep = { ...contents, ...status };
    if (touched && sweep.record && isSettled(sweep)) this.#settledSweeps.set(id, { sweep, touched });
    return sweep;
  }

  async #readQueue(): Promise<boolean> {
    this.queue = await readQueue(this.folder, this.liveness);
    const fingerprint = JSON.stringify(this.queue);
    const changed = fingerprint !== this.#queueFingerprint;
    this.#queueFingerprint = fingerprint;
    return changed;
  }
}

/** When the folder of a run or a sweep and what is touchable in it were changed last, in ms, with what the folder holds. */
interface TouchTimes {
  there: FolderContents;
  /** By name, the folder itself as ''; what is not there has none. */
  times: ReadonlyMap<string, number | undefined>;
}

/** Times from before whatever is read next, so that a change while it is read shows; undefined when the folder is gone. */
async function touchTimes(folder: string): Promise<TouchTimes | undefined> {
  const time = await timeOf(folder);
  if (time === undefined) return undefined;
  const there = await contentsOf(folder);
  const names = touchable.filter((name) => there.has(name));
  const times = await Promise.all(names.map((name) => timeOf(join(folder, name))));
  return { there, times: new Map([['', time], ...names.map((name, i) => [name, times[i]] as const)]) };
}

/** Whether a folder was changed since, or went. What comes or goes in it shows in its own time. */
async function isTouched(folder: string, { times }: TouchTimes): Promise<boolean> {
  const now = await Promise.all([...times.keys()].map((name) => timeOf(join(folder, name))));
  return [...times.values()].some((time, i) => time === undefined || time !== now[i]);
}

/** Whether nothing works on a sweep, nor may. */
function isSettled({ scheduler }: SweepOverview): boolean {
  return scheduler !== 'running' && scheduler !== 'pausing' && scheduler !== 'silent';
}

/** When a file or a folder was changed last, in ms; undefined for what is not there. */
async function timeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
