import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attemptFiles, attemptName, checkpointStep, runFiles } from '../../protocol/runFolder.ts';
import type { ShownState } from '../../protocol/panelMessages.ts';
import type { Annotations, AttemptRecord, EventLine, RunRecord, RunState } from '../../protocol/records.ts';
import { mergeJobState } from '../jobState.ts';
import { recentMsPerStep } from '../pace.ts';
import { deriveState, type Liveness, type RunFacts } from '../status.ts';
import {
  asAnnotations,
  asAttemptRecord,
  asCheckpointRecord,
  asControlRequest,
  asEvent,
  asRunRecord,
  newerVersion,
} from './checkRecords.ts';
import type { LivenessWatch } from './liveness.ts';
import { asMetricLine, parseJsonLine } from './parseJsonLine.ts';
import { readJson, type JsonFile } from './readJson.ts';
import { lastJobState } from './runJobs.ts';
import { isMissing, readLastLines } from './tailJsonLines.ts';

/** What a list of runs shows of one run, read at a cost that does not grow with the run. */
export interface RunOverview {
  id: string;
  folder: string;
  /** Null when `run.json` is missing or unreadable; `problems` says which. */
  record: RunRecord | null;
  annotations: Annotations;
  /** Null when no attempt was opened, or its record can't be read. */
  lastAttempt: AttemptRecord | null;
  attemptCount: number;
  state: RunState;
  liveness: Liveness;
  /** The newest value of each metric found near the end of the metrics; `step`, `epoch` and `time` among them. */
  latest: Record<string, number>;
  /** Wall time of a step lately, evaluations included; null when too little is known. */
  msPerStep: number | null;
  /** How the last attempt ended, if it said so. */
  outcome: Extract<EventLine, { type: 'finished' | 'stopped' | 'failed' }> | null;
  /** The job of a cluster that the run was given to last, with the cluster's word for it; null for any other run. */
  job: string | null;
  /** Sentences about what could not be read. */
  problems: string[];
}

/** A summary needs the last lines only. */
const metricsTailBytes = 64 * 1024;
/** Lines of these that are parsed; the pace is measured over them. */
const metricsTailLines = 51;
const eventsTailBytes = 16 * 1024;

/**
 * Reads what a list shows of the run in `folder`, whose name is `id`. `nowMs` is Unix time.
 *
 * A disk may be far away: only what is there is read, and side by side. `there` is what `folder` holds, for callers that
 * have listed it.
 */
export async function summariseRun(
  folder: string,
  id: string,
  watch: LivenessWatch,
  nowMs: number,
  there?: FolderContents,
): Promise<RunOverview> {
  const names = there ?? (await contentsOf(folder));
  const [recordFile, annotationsFile, { facts, problems: attemptProblems, ...attempts }, job] = await Promise.all([
    readJsonIn(folder, runFiles.record, names),
    readJsonIn(folder, runFiles.annotations, names),
    summariseAttempts(folder, watch, names),
    names.has(runFiles.jobs) ? lastJobState(folder) : undefined,
  ]);
  const problems: string[] = [];
  const record = recordFile.kind === 'value' ? asRunRecord(recordFile.value, id) : null;
  if (!record) problems.push(`${runFiles.record}: ${unreadable(recordFile)}`);
  const newer = newerVersion(record);
  if (newer) problems.push(`${runFiles.record}: ${newer}`);
  if (annotationsFile.kind === 'faulty') problems.push(`${runFiles.annotations}: ${annotationsFile.reason}`);
  const annotations = asAnnotations(annotationsFile.kind === 'value' ? annotationsFile.value : undefined);
  problems.push(...attemptProblems);

  const ownState = deriveState({ ...facts, ageMs: ageOf(record, nowMs) });
  const attemptedMs = facts.attempted ? Date.parse(attempts.lastAttempt?.startedAt ?? '') || 0 : null;
  return {
    id,
    folder,
    record,
    annotations,
    ...attempts,
    state: job ? mergeJobState(ownState, job.state, { attemptedMs }) : ownState,
    job: job ? `${job.record.job}${job.state.reason === '' ? '' : ` ${job.state.reason}`}` : null,
    problems,
  };
}

/** A folder that says nothing about a run that can be understood; its state is not guessed. */
export function isUnreadable({ record, attemptCount }: Pick<RunOverview, 'record' | 'attemptCount'>): boolean {
  return record === null && attemptCount === 0;
}

/** The state as people are told it. */
export function shownState(run: Pick<RunOverview, 'record' | 'attemptCount' | 'state'>): ShownState {
  return isUnreadable(run) ? 'unreadable' : run.state;
}

export type AttemptsSummary = Pick<
  RunOverview,
  'lastAttempt' | 'attemptCount' | 'liveness' | 'latest' | 'msPerStep' | 'outcome' | 'problems'
> & {
  /** What the state follows from, but for the age of the run. */
  facts: Omit<RunFacts, 'ageMs'>;
};

/** What the attempts of a run, or of the scheduler of a sweep, say. `there` is what `folder` holds. */
export async function summariseAttempts(
  folder: string,
  watch: LivenessWatch,
  there: FolderContents,
): Promise<AttemptsSummary> {
  const attempts = there.has(runFiles.attempts) ? await attemptIndices(folder) : [];
  const lastIndex = attempts.at(-1);
  if (lastIndex === undefined) {
    return {
      lastAttempt: null,
      attemptCount: 0,
      liveness: 'undecided',
      latest: {},
      msPerStep: null,
      outcome: null,
      problems: [],
      facts: {
        attempted: false,
        liveness: 'undecided',
        outcome: null,
        started: false,
        stopRequested: false,
        queued: false,
      },
    };
  }
  const attemptFolder = join(folder, runFiles.attempts, attemptName(lastIndex));
  const [attemptFile, eventsBefore, lines] = await Promise.all([
    readJson(join(attemptFolder, attemptFiles.record)),
    lastEvents(attemptFolder),
    lastMetricLines(join(attemptFolder, attemptFiles.metrics)),
  ]);
  const lastAttempt = attemptFile.kind === 'value' ? asAttemptRecord(attemptFile.value, lastIndex) : null;
  const key = `${folder}#${lastIndex}`;
  const [inherited, saved, { events, liveness, stopPending }] = await Promise.all([
    latestBefore(folder, lastAttempt),
    // Evaluations are rare: in a long run the last one lies before the lines that were read, but checkpoints name it.
    lines.some((line) => line['knnTop1'] !== undefined) ? {} : checkpointEvaluations(folder, there),
    watchAttempt(folder, attemptFolder, { watch, key, lastAttempt, events: eventsBefore, there }),
  ]);
  const outcome = outcomeOf(events);
  // A scheduler that was paused and went on says `started` again.
  const lastWord = events.findLast(({ type }) => type === 'stopRequested' || type === 'started');
  return {
    lastAttempt,
    attemptCount: attempts.length,
    liveness,
    latest: Object.assign({}, saved, inherited, ...lines) as Record<string, number>,
    msPerStep: recentMsPerStep(
      lines.map((line) => line['step'] ?? Number.NaN),
      lines.map((line) => line['time'] ?? Number.NaN),
    ),
    outcome,
    problems: lastAttempt ? [] : [`${attemptName(lastIndex)}/${attemptFiles.record}: ${unreadable(attemptFile)}`],
    facts: {
      attempted: true,
      liveness,
      outcome: outcome?.type ?? null,
      started: events.some((event) => event.type === 'started') || lines.length > 0,
      stopRequested: lastWord?.type === 'stopRequested' || stopPending,
      queued: false,
    },
  };
}

/** Whether an attempt lives; of one whose events tell its end nothing is asked. */
async function watchAttempt(
  folder: string,
  attemptFolder: string,
  {
    watch,
    key,
    lastAttempt,
    events,
    there,
  }: {
    watch: LivenessWatch;
    key: string;
    lastAttempt: AttemptRecord | null;
    events: EventLine[];
    there: FolderContents;
  },
): Promise<{ events: EventLine[]; liveness: Liveness; stopPending: boolean }> {
  if (outcomeOf(events)) return { events, liveness: 'undecided', stopPending: false };
  const [heartbeat, stopPending] = await Promise.all([
    readHeartbeat(join(attemptFolder, attemptFiles.heartbeat)),
    isStopPending(folder, lastAttempt, there),
  ]);
  const liveness = await watch.check(key, lastAttempt?.process ?? null, heartbeat);
  // It may have told its end after its events were read and before it was looked for.
  return { events: liveness === 'gone' ? await lastEvents(attemptFolder) : events, liveness, stopPending };
}

async function lastEvents(attemptFolder: string): Promise<EventLine[]> {
  const texts = await readLastLines(join(attemptFolder, attemptFiles.events), eventsTailBytes);
  return texts.map((text) => asEvent(parseJsonLine(text) ?? {})).filter((event) => event !== undefined);
}

/** The names of the files and folders in a folder. */
export type FolderContents = ReadonlySet<string>;

/** What is in a folder; nothing in one that is not there. */
export async function contentsOf(folder: string): Promise<FolderContents> {
  return new Set(await namesIn(folder));
}

/** Asks the disk for no file that its folder does not hold. */
async function readJsonIn(folder: string, name: string, there: FolderContents): Promise<JsonFile> {
  return there.has(name) ? readJson(join(folder, name)) : { kind: 'missing' };
}

/** The indices of a run's attempts, ascending. */
export async function attemptIndices(folder: string): Promise<number[]> {
  const names = await namesIn(join(folder, runFiles.attempts));
  return names
    .filter((name) => /^\d{3,}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** How an attempt ended: its last outcome event. */
export function outcomeOf(events: readonly EventLine[]): RunOverview['outcome'] {
  const last = events.findLast((event) => ['finished', 'stopped', 'failed'].includes(event.type));
  return (last as RunOverview['outcome'] | undefined) ?? null;
}

async function readHeartbeat(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** A stop asked for after the attempt started; an older request was meant for an earlier attempt. */
async function isStopPending(folder: string, attempt: AttemptRecord | null, there: FolderContents): Promise<boolean> {
  const file = await readJsonIn(folder, runFiles.request, there);
  const request = file.kind === 'value' ? asControlRequest(file.value) : null;
  if (request?.action !== 'stop') return false;
  return attempt === null || Date.parse(request.at) >= Date.parse(attempt.startedAt);
}

/** The last lines of a metrics file, and among those before them the ones of evaluations. */
async function lastMetricLines(path: string): Promise<Record<string, number>[]> {
  const texts = await readLastLines(path, metricsTailBytes);
  const wanted = texts.filter((text, i) => i >= texts.length - metricsTailLines || text.includes('"knnTop1"'));
  return wanted.map((text) => asMetricLine(parseJsonLine(text) ?? {})).filter((line) => line !== undefined);
}

/** The newest values at the step that an attempt resumed from; they stand until it has logged its own. */
async function latestBefore(folder: string, attempt: AttemptRecord | null): Promise<Record<string, number>> {
  if (!attempt?.resumedFrom) return {};
  const earlier = attemptName(attempt.resumedFrom.attempt);
  const { step } = attempt.resumedFrom;
  const lines = await lastMetricLines(join(folder, runFiles.attempts, earlier, attemptFiles.metrics));
  const reached = lines.filter((line) => (line['step'] ?? Infinity) <= step);
  return Object.assign({}, ...reached) as Record<string, number>;
}

/** The accuracies that the newest checkpoint was saved with. */
async function checkpointEvaluations(folder: string, there: FolderContents): Promise<Record<string, number>> {
  if (!there.has(runFiles.checkpoints)) return {};
  const path = join(folder, runFiles.checkpoints);
  const newest = (await namesIn(path)).filter((name) => checkpointStep(name) !== undefined).at(-1);
  if (newest === undefined) return {};
  const file = await readJson(join(path, newest, 'checkpoint.json'));
  const { knnTop1 } = (file.kind === 'value' ? asCheckpointRecord(file.value) : null)?.metrics ?? {};
  return knnTop1 === undefined ? {} : { knnTop1 };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Age of a run; very old when it does not say when it was made, and never negative when clocks differ. */
function ageOf(record: RunRecord | null, nowMs: number): number {
  const createdMs = Date.parse(record?.createdAt ?? '');
  return Number.isNaN(createdMs) ? Number.POSITIVE_INFINITY : Math.abs(nowMs - createdMs);
}

function unreadable(file: { kind: 'value' | 'missing' } | { kind: 'faulty'; reason: string }): string {
  if (file.kind === 'missing') return 'missing';
  return file.kind === 'faulty' ? file.reason : 'not an object';
}
