import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attemptFiles, attemptName, checkpointStep, runFiles } from '../../protocol/runFolder.ts';
import type { ShownState } from '../../protocol/panelMessages.ts';
import type { Annotations, AttemptRecord, EventLine, RunRecord, RunState } from '../../protocol/records.ts';
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
import { readJson } from './readJson.ts';
import { withCluster } from './runJobs.ts';
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

/** Reads what a list shows of the run in `folder`, whose name is `id`. `nowMs` is Unix time. */
export async function summariseRun(
  folder: string,
  id: string,
  watch: LivenessWatch,
  nowMs: number,
): Promise<RunOverview> {
  const problems: string[] = [];
  const recordFile = await readJson(join(folder, runFiles.record));
  const record = recordFile.kind === 'value' ? asRunRecord(recordFile.value, id) : null;
  if (!record) problems.push(`${runFiles.record}: ${unreadable(recordFile)}`);
  const newer = newerVersion(record);
  if (newer) problems.push(`${runFiles.record}: ${newer}`);

  const annotationsFile = await readJson(join(folder, runFiles.annotations));
  if (annotationsFile.kind === 'faulty') problems.push(`${runFiles.annotations}: ${annotationsFile.reason}`);
  const annotations = asAnnotations(annotationsFile.kind === 'value' ? annotationsFile.value : undefined);

  const attempts = await summariseAttempts(folder, watch, { ageMs: ageOf(record, nowMs) });
  problems.push(...attempts.problems);
  const { problems: _, ...rest } = attempts;
  const cluster = await withCluster(folder, rest.state, {
    attemptedMs: rest.attemptCount === 0 ? null : Date.parse(rest.lastAttempt?.startedAt ?? '') || 0,
  });
  return { id, folder, record, annotations, ...rest, ...cluster, problems };
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
  'lastAttempt' | 'attemptCount' | 'state' | 'liveness' | 'latest' | 'msPerStep' | 'outcome' | 'problems'
>;

/** What the attempts of a run, or of the scheduler of a sweep, say about its state. */
export async function summariseAttempts(
  folder: string,
  watch: LivenessWatch,
  { ageMs }: { ageMs: number },
): Promise<AttemptsSummary> {
  const problems: string[] = [];
  const attempts = await attemptIndices(folder);
  const facts: RunFacts = {
    attempted: attempts.length > 0,
    liveness: 'undecided',
    outcome: null,
    started: false,
    stopRequested: false,
    queued: false,
    ageMs,
  };
  let lastAttempt: AttemptRecord | null = null;
  let latest: Record<string, number> = {};
  let msPerStep: number | null = null;
  let outcome: RunOverview['outcome'] = null;
  const lastIndex = attempts.at(-1);
  if (lastIndex !== undefined) {
    const attemptFolder = join(folder, runFiles.attempts, attemptName(lastIndex));
    const attemptFile = await readJson(join(attemptFolder, attemptFiles.record));
    lastAttempt = attemptFile.kind === 'value' ? asAttemptRecord(attemptFile.value, lastIndex) : null;
    if (!lastAttempt) {
      problems.push(`${attemptName(lastIndex)}/${attemptFiles.record}: ${unreadable(attemptFile)}`);
    }
    const events = (await readLastLines(join(attemptFolder, attemptFiles.events), eventsTailBytes))
      .map((text) => asEvent(parseJsonLine(text) ?? {}))
      .filter((event) => event !== undefined);
    outcome = outcomeOf(events);
    const lines = await lastMetricLines(join(attemptFolder, attemptFiles.metrics));
    latest = Object.assign(await latestBefore(folder, lastAttempt), ...lines) as Record<string, number>;
    // Evaluations are rare: in a long run the last one lies before the lines that were read, but checkpoints name it.
    if (latest['knnTop1'] === undefined) latest = { ...(await checkpointEvaluations(folder)), ...latest };
    msPerStep = recentMsPerStep(
      lines.map((line) => line['step'] ?? Number.NaN),
      lines.map((line) => line['time'] ?? Number.NaN),
    );
    facts.outcome = outcome?.type ?? null;
    facts.started = events.some((event) => event.type === 'started') || lines.length > 0;
    if (!outcome) {
      const heartbeat = await readHeartbeat(join(attemptFolder, attemptFiles.heartbeat));
      facts.liveness = await watch.check(`${folder}#${lastIndex}`, lastAttempt?.process ?? null, heartbeat);
      // A scheduler that was paused and went on says `started` again.
      const lastWord = events.findLast(({ type }) => type === 'stopRequested' || type === 'started');
      facts.stopRequested = lastWord?.type === 'stopRequested' || (await isStopPending(folder, lastAttempt));
    }
  }
  return {
    lastAttempt,
    attemptCount: attempts.length,
    state: deriveState(facts),
    liveness: facts.liveness,
    latest,
    msPerStep,
    outcome,
    problems,
  };
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
async function isStopPending(folder: string, attempt: AttemptRecord | null): Promise<boolean> {
  const file = await readJson(join(folder, runFiles.request));
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
async function checkpointEvaluations(folder: string): Promise<Record<string, number>> {
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
