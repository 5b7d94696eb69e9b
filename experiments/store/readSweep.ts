import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { attemptFiles, attemptName, isRunId, runFiles, sweepFiles, sweepsFolder } from '../../protocol/runFolder.ts';
import type { RunState, SchedulerState, SweepRecord } from '../../protocol/records.ts';
import { deriveState, isActive } from '../status.ts';
import type { JobState } from '../jobState.ts';
import { asSweepRecord, newerVersion } from './checkRecords.ts';
import type { LivenessWatch } from './liveness.ts';
import { readJson } from './readJson.ts';
import { lastJobState } from './runJobs.ts';
import {
  attemptIndices,
  contentsOf,
  summariseAttempts,
  type AttemptsSummary,
  type FolderContents,
} from './summariseRun.ts';
import { isMissing } from './tailJsonLines.ts';

/** A sweep as found: which cells it has; what became of them is in the runs that they name. */
export interface SweepContents {
  id: string;
  folder: string;
  record: SweepRecord | null;
  problems: string[];
}

/** Reads the record of a sweep. Cells whose run name is none are left out and named in `problems`. */
export async function readSweep(folder: string): Promise<SweepContents> {
  const id = basename(folder);
  const problems: string[] = [];
  const file = await readJson(join(folder, sweepFiles.record));
  const record = file.kind === 'value' ? asSweepRecord(file.value, id) : null;
  if (!record) {
    const reason = file.kind === 'missing' ? 'missing' : file.kind === 'faulty' ? file.reason : 'not an object';
    problems.push(`${sweepFiles.record}: ${reason}`);
    return { id, folder, record, problems };
  }
  const newer = newerVersion(record);
  if (newer) problems.push(`${sweepFiles.record}: ${newer}`);
  const cells = record.cells.filter((cell) => isRunId(cell.runId));
  if (cells.length < record.cells.length) {
    problems.push(`${sweepFiles.record}: ${record.cells.length - cells.length} cells have no valid run name`);
  }
  return { id, folder, record: { ...record, cells }, problems };
}

/** What is known of whoever works on a sweep, or on the queue. */
export interface SchedulerStatus {
  scheduler: SchedulerState;
  /**
   * When the last was heard of a scheduler that is lost or silent, Unix time in ms by the clock of the file system; null where
   * that is not known. It is only told: whether a scheduler lives is never decided by it.
   */
  heardAtMs: number | null;
  /** Names the newest time that the sweep was worked on: an attempt of a scheduler or a cluster's job. Empty before the first. */
  work: string;
  /** When that began, Unix time in ms; null where it is not known. */
  workedSinceMs: number | null;
}

/** What the scheduler of a sweep, or of the queue, is doing. */
export async function schedulerOf(folder: string, watch: LivenessWatch): Promise<SchedulerState> {
  return (await schedulerStatus(folder, watch)).scheduler;
}

/** As `schedulerOf`, with since when. `known` is what `folder` holds, for callers that have listed it. */
export async function schedulerStatus(
  folder: string,
  watch: LivenessWatch,
  known?: FolderContents,
): Promise<SchedulerStatus> {
  const there = known ?? (await contentsOf(folder));
  const cluster = there.has(runFiles.jobs) ? await lastJobState(folder) : undefined;
  if (cluster) {
    const { record, state } = cluster;
    return {
      scheduler: jobScheduler(state.phase),
      heardAtMs: null,
      // A cluster that is set up anew counts its jobs from 1 again.
      work: `job ${record.job} ${record.submittedAt}`,
      workedSinceMs: time(record.submittedAt),
    };
  }
  const attempts = await summariseAttempts(folder, watch, there);
  const { attemptCount, lastAttempt } = attempts;
  const scheduler = schedulerState(deriveState({ ...attempts.facts, ageMs: Number.POSITIVE_INFINITY }), attempts);
  return {
    scheduler,
    heardAtMs: scheduler === 'lost' || scheduler === 'silent' ? await lastHeartbeat(folder) : null,
    work: attemptCount === 0 ? '' : `attempt ${attemptCount}`,
    workedSinceMs: time(lastAttempt?.startedAt ?? ''),
  };
}

function schedulerState(
  state: RunState,
  { outcome, attemptCount }: Pick<AttemptsSummary, 'outcome' | 'attemptCount'>,
): SchedulerState {
  if (state === 'stopping') return 'pausing';
  if (isActive(state)) return 'running';
  if (state === 'crashed') return attemptCount === 0 ? 'idle' : 'lost';
  if (state === 'stale') return 'silent';
  if (state !== 'stopped') return 'idle';
  return outcome?.type === 'stopped' && outcome.reason === 'paused' ? 'paused' : 'cancelled';
}

function jobScheduler(phase: JobState['phase']): SchedulerState {
  if (phase === 'unknown') return 'silent';
  return phase === 'waiting' || phase === 'working' ? 'running' : 'idle';
}

async function lastHeartbeat(folder: string): Promise<number | null> {
  const last = (await attemptIndices(folder)).at(-1);
  if (last === undefined) return null;
  try {
    return (await stat(join(folder, sweepFiles.attempts, attemptName(last), attemptFiles.heartbeat))).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function time(text: string): number | null {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** The names of the sweeps of a runs folder, sorted. */
export async function listSweepIds(runsFolder: string): Promise<string[]> {
  try {
    return (await readdir(join(runsFolder, sweepsFolder))).filter(isRunId).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The sweeps of a runs folder, by name. */
export async function listSweeps(runsFolder: string): Promise<SweepContents[]> {
  const ids = await listSweepIds(runsFolder);
  return Promise.all(ids.map((id) => readSweep(join(runsFolder, sweepsFolder, id))));
}
