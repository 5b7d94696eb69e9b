/**
 * The trainer's side of a run folder: creating it, opening attempts in it, and appending to them.
 *
 * A folder is claimed by making it, an attempt by making its numbered folder; both fail when somebody else was first,
 * so two starts never write into the same files.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errors } from '../../protocol/errors.ts';
import { attemptFiles, attemptName, isRunId, runFiles } from '../../protocol/runFolder.ts';
import {
  recordVersion,
  type AttemptRecord,
  type EventLine,
  type MetricLine,
  type RunRecord,
} from '../../protocol/records.ts';
import { isSomebodyTraining } from './otherTrainers.ts';
import { guard, jsonLine, openLineFile } from './appendLines.ts';
import { startHeartbeat } from './heartbeat.ts';

/** What is particular to an event, without what the attempt adds itself. */
export type EventBody = EventLine extends infer Line
  ? Line extends EventLine
    ? Omit<Line, 'time' | 'step'>
    : never
  : never;

export interface Attempt {
  readonly folder: string;
  readonly record: AttemptRecord;
  metric(line: MetricLine): void;
  event(step: number, body: EventBody): void;
  log(text: string): void;
  /** Stops the heartbeat and closes the files. */
  close(): Promise<void>;
}

/**
 * Makes the folder of a new run with its immutable record and configuration.
 *
 * @throws runExists when there is one of that name, runFolderUnwritable
 */
export function createRunFolder(
  runsFolder: string,
  record: RunRecord,
  { config, dirtyDiff }: { config: string; dirtyDiff: string | null },
): string {
  if (!isRunId(record.id))
    throw errors.usage(`'${record.id}' is not a run name: use letters, digits, '.', '_' and '-'.`);
  const folder = join(runsFolder, record.id);
  guard(runsFolder, () => mkdirSync(runsFolder, { recursive: true }));
  guard(folder, () => {
    try {
      mkdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST')
        throw errors.runExists(folder, 'a run of that name is there');
      throw error;
    }
    for (const name of [runFiles.attempts, runFiles.checkpoints, runFiles.evaluations, runFiles.artifacts])
      mkdirSync(join(folder, name));
    writeFileSync(join(folder, runFiles.config), config, { flag: 'wx' });
    if (dirtyDiff !== null) writeFileSync(join(folder, runFiles.dirtyDiff), dirtyDiff, { flag: 'wx' });
    // Last, since a folder with a run.json counts as a run.
    writeFileSync(join(folder, runFiles.record), `${JSON.stringify(record, null, 2)}\n`, { flag: 'wx', flush: true });
  });
  return folder;
}

/** The attempts of a run, oldest first; one that ended before its record was written whole is left out. */
export function readAttempts(runFolder: string): AttemptRecord[] {
  const folder = join(runFolder, runFiles.attempts);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^\d{3,}$/.test(name))
    .sort((a, b) => Number(a) - Number(b))
    .flatMap((name) => readAttempt(join(folder, name, attemptFiles.record)));
}

function readAttempt(path: string): AttemptRecord[] {
  try {
    return [JSON.parse(readFileSync(path, 'utf8')) as AttemptRecord];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return [];
    throw error;
  }
}

/**
 * Opens the next attempt of a run and starts its heartbeat.
 *
 * @throws runExists when the trainer of an earlier attempt still lives, or another start was quicker
 */
export async function openAttempt(
  runFolder: string,
  {
    process: identity,
    engine,
    device,
    resumedFrom,
    startedAt,
    now,
  }: Omit<AttemptRecord, 'version' | 'index'> & { now: () => number },
): Promise<Attempt> {
  const attempts = join(runFolder, runFiles.attempts);
  // The number that is next before anything is waited for: of two starts, one finds it taken.
  const index = 1 + Math.max(0, ...readdirSync(attempts).map(Number).filter(Number.isInteger));
  const last = readAttempts(runFolder).at(-1);
  if (last && (await isSomebodyTraining(runFolder, last)))
    throw errors.runExists(runFolder, `process ${last.process.pid} on ${last.process.hostname} is training in it`);

  const folder = join(attempts, attemptName(index));
  guard(folder, () => {
    try {
      mkdirSync(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST')
        throw errors.runExists(runFolder, 'another start opened an attempt at the same moment');
      throw error;
    }
  });
  const record: AttemptRecord = {
    version: recordVersion,
    index,
    startedAt,
    process: identity,
    engine,
    device,
    resumedFrom,
  };
  guard(folder, () =>
    writeFileSync(join(folder, attemptFiles.record), `${JSON.stringify(record, null, 2)}\n`, {
      flag: 'wx',
      flush: true,
    }),
  );

  const metrics = openLineFile(join(folder, attemptFiles.metrics));
  const events = openLineFile(join(folder, attemptFiles.events));
  const log = openLineFile(join(folder, attemptFiles.log));
  const heartbeat = startHeartbeat(join(folder, attemptFiles.heartbeat));
  return {
    folder,
    record,
    metric: (line) => metrics.append(jsonLine(line)),
    event: (step, body) => events.append(jsonLine({ time: now(), step, ...body })),
    log: (text) => log.append(`${new Date(now()).toISOString()} ${text}`),
    close: async () => {
      const fault = await heartbeat.stop();
      if (fault) log.append(`${new Date(now()).toISOString()} the heartbeat could not be written: ${fault.message}`);
      for (const file of [metrics, events, log]) file.close();
    },
  };
}
