/**
 * The queue of a runs folder: runs that wait until their device is free (see protocol/runFolder.ts for its layout).
 *
 * A scheduler launches them; people reorder and cancel them. Whoever takes an entry makes its `taken` folder, which only one
 * can, so that nothing is launched after it was cancelled.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { QueueEntryRecord, QueueLimits, SchedulerState } from '../../protocol/records.ts';
import { isRunId, queueFiles, queueFolder } from '../../protocol/runFolder.ts';
import { asQueueEntry, asQueueLimits, asRank, newerVersion } from './checkRecords.ts';
import type { LivenessWatch } from './liveness.ts';
import { readJson } from './readJson.ts';
import { schedulerOf } from './readSweep.ts';
import { isMissing } from './tailJsonLines.ts';
import { writeWhole } from './writeWhole.ts';

export interface QueuedRun {
  runId: string;
  /** Its entry in the queue. */
  folder: string;
  record: QueueEntryRecord | null;
  /** Ascending ranks are launched first. */
  rank: number;
  /** `failed`: its process ended before it made a run folder; its launch log says why. */
  state: 'waiting' | 'taken' | 'failed';
  problems: string[];
}

export interface QueueOverview {
  /** In the order of launching. */
  runs: QueuedRun[];
  limits: QueueLimits;
  scheduler: SchedulerState;
}

/** How many runs train on a device at the same time where nobody has said otherwise. */
export const defaultQueueLimit = 1;

export async function readQueue(runsFolder: string, watch: LivenessWatch): Promise<QueueOverview> {
  const folder = join(runsFolder, queueFolder);
  const there = new Set(await namesIn(folder));
  const [runs, limits, scheduler] = await Promise.all([
    there.has(queueFiles.entries) ? readEntries(join(folder, queueFiles.entries)) : [],
    there.has(queueFiles.limits) ? readJson(join(folder, queueFiles.limits)) : undefined,
    there.has(queueFiles.scheduler) ? schedulerOf(join(folder, queueFiles.scheduler), watch) : ('idle' as const),
  ]);
  return {
    runs: runs.sort((a, b) => a.rank - b.rank || (a.runId < b.runId ? -1 : 1)),
    limits: asQueueLimits(limits?.kind === 'value' ? limits.value : undefined),
    scheduler,
  };
}

export function limitOf({ limits }: Pick<QueueOverview, 'limits'>, device: string): number {
  return limits[device] ?? defaultQueueLimit;
}

/** Claims an entry, to launch or to cancel it: true for the first who asks. */
export async function takeQueued(entryFolder: string): Promise<boolean> {
  try {
    await mkdir(join(entryFolder, queueFiles.taken));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || isMissing(error)) return false;
    throw error;
  }
}

/** Takes a run out of the queue; false when it is being launched already, or is not there. */
export async function cancelQueued(runsFolder: string, runId: string): Promise<boolean> {
  if (!isRunId(runId)) return false;
  const folder = join(runsFolder, queueFolder, queueFiles.entries, runId);
  const entry = await readEntry(folder, runId);
  if (!entry || (entry.state !== 'failed' && !(await takeQueued(folder)))) return false;
  await rm(folder, { recursive: true, force: true });
  return true;
}

/** Puts a waiting run elsewhere in the line. False when it does not wait any more. */
export async function moveQueued(
  runsFolder: string,
  runId: string,
  to: 'first' | 'up' | 'down' | 'last',
  watch: LivenessWatch,
): Promise<boolean> {
  const waiting = (await readQueue(runsFolder, watch)).runs.filter(({ state }) => state === 'waiting');
  const at = waiting.findIndex((run) => run.runId === runId);
  const run = waiting[at];
  if (!run) return false;
  const target = { first: 0, up: at - 1, down: at + 1, last: waiting.length - 1 }[to];
  const others = waiting.filter((other) => other !== run);
  const place = Math.min(Math.max(0, target), others.length);
  const rank = between(others[place - 1]?.rank, others[place]?.rank);
  if (rank !== undefined) await writeWhole(join(run.folder, queueFiles.rank), JSON.stringify({ rank }));
  return true;
}

/** Says how many runs may train on a device at the same time; 0 holds all of them back. */
export async function setQueueLimit(runsFolder: string, device: string, limit: number): Promise<void> {
  const path = join(runsFolder, queueFolder, queueFiles.limits);
  await mkdir(join(runsFolder, queueFolder), { recursive: true });
  const file = await readJson(path);
  if (file.kind === 'faulty') throw new Error(`${path}: ${file.reason}`);
  const limits = { ...asQueueLimits(file.kind === 'value' ? file.value : undefined), [device]: limit };
  await writeWhole(path, `${JSON.stringify(limits, null, 2)}\n`);
}

/** A place between two ranks; those of the ends are half a second away, ranks being times of queueing. */
function between(before: number | undefined, after: number | undefined): number | undefined {
  if (before === undefined) return after === undefined ? undefined : after - 500;
  return after === undefined ? before + 500 : (before + after) / 2;
}

async function readEntries(folder: string): Promise<QueuedRun[]> {
  const names = (await namesIn(folder)).filter(isRunId);
  const entries = await Promise.all(names.map((name) => readEntry(join(folder, name), name)));
  return entries.filter((entry) => entry !== undefined);
}

async function readEntry(folder: string, runId: string): Promise<QueuedRun | undefined> {
  const problems: string[] = [];
  const [file, rankFile, taken] = await Promise.all([
    readJson(join(folder, queueFiles.record)),
    readJson(join(folder, queueFiles.rank)),
    namesIn(join(folder, queueFiles.taken), null),
  ]);
  const record = file.kind === 'value' ? asQueueEntry(file.value, runId) : null;
  if (!record) {
    if (file.kind === 'missing') return undefined; // being cancelled, or not whole yet
    problems.push(`${queueFiles.record}: ${file.kind === 'faulty' ? file.reason : 'not an object'}`);
  }
  const newer = newerVersion(record);
  if (newer) problems.push(`${queueFiles.record}: ${newer}`);
  const rank = rankFile.kind === 'value' ? asRank(rankFile.value) : undefined;
  const failed = taken?.includes(queueFiles.failure);
  return {
    runId,
    folder,
    record,
    rank: rank ?? (Date.parse(record?.createdAt ?? '') || 0),
    state: failed ? 'failed' : taken ? 'taken' : 'waiting',
    problems,
  };
}

async function namesIn(folder: string): Promise<string[]>;
async function namesIn(folder: string, missing: null): Promise<string[] | null>;
async function namesIn(folder: string, missing: null | [] = []): Promise<string[] | null> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return missing;
    throw error;
  }
}
