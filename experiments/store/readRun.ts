import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { attemptFiles, attemptName, checkpointStep, runFiles } from '../../protocol/runFolder.ts';
import type {
  Annotations,
  AttemptRecord,
  CheckpointRecord,
  EvaluationLine,
  EventLine,
  RunRecord,
} from '../../protocol/records.ts';
import {
  asAnnotations,
  asAttemptRecord,
  asCheckpointRecord,
  asEvaluation,
  asEvent,
  asRunRecord,
  newerVersion,
} from './checkRecords.ts';
import { readJson, type JsonFile } from './readJson.ts';
import { attemptIndices } from './summariseRun.ts';
import { isMissing, readJsonLines, unreadableLines } from './tailJsonLines.ts';

/** All of a run but its metrics (see runMetrics.ts). */
export interface RunContents {
  id: string;
  folder: string;
  record: RunRecord | null;
  annotations: Annotations;
  /** By index; `record` is null when it can't be read. */
  attempts: { index: number; folder: string; record: AttemptRecord | null }[];
  /** Of all attempts, oldest first. */
  events: (EventLine & { attempt: number })[];
  /** Whole checkpoints by step; a folder without its `checkpoint.json` is none. */
  checkpoints: { name: string; folder: string; bytes: number; record: CheckpointRecord }[];
  /** By evaluation file, then by line. */
  evaluations: EvaluationLine[];
  /** Sentences about what could not be read. */
  problems: string[];
}

/** Reads a run folder. Whatever is missing or broken is left out and named in `problems`. */
export async function readRun(folder: string): Promise<RunContents> {
  const id = basename(folder);
  const problems: string[] = [];
  const note = (path: string, file: JsonFile): void => {
    if (file.kind === 'faulty') problems.push(`${path}: ${file.reason}`);
  };

  const recordFile = await readJson(join(folder, runFiles.record));
  note(runFiles.record, recordFile);
  if (recordFile.kind === 'missing') problems.push(`${runFiles.record}: missing`);
  const record = recordFile.kind === 'value' ? asRunRecord(recordFile.value, id) : null;
  if (recordFile.kind === 'value' && !record) problems.push(`${runFiles.record}: not an object`);
  const newer = newerVersion(record);
  if (newer) problems.push(`${runFiles.record}: ${newer}`);

  const annotationsFile = await readJson(join(folder, runFiles.annotations));
  note(runFiles.annotations, annotationsFile);

  const attempts: RunContents['attempts'] = [];
  const events: RunContents['events'] = [];
  for (const index of await attemptIndices(folder)) {
    const attemptFolder = join(folder, runFiles.attempts, attemptName(index));
    const name = `${runFiles.attempts}/${attemptName(index)}`;
    const file = await readJson(join(attemptFolder, attemptFiles.record));
    note(`${name}/${attemptFiles.record}`, file);
    attempts.push({
      index,
      folder: attemptFolder,
      record: file.kind === 'value' ? asAttemptRecord(file.value, index) : null,
    });
    const { lines, faultyLines } = await readJsonLines(join(attemptFolder, attemptFiles.events));
    problems.push(...unreadableLines(`${name}/${attemptFiles.events}`, faultyLines));
    for (const line of lines) {
      const event = asEvent(line);
      if (event) events.push({ ...event, attempt: index });
    }
  }

  const evaluations: EvaluationLine[] = [];
  for (const name of (await namesIn(join(folder, runFiles.evaluations))).filter((file) => file.endsWith('.jsonl'))) {
    const { lines, faultyLines } = await readJsonLines(join(folder, runFiles.evaluations, name));
    problems.push(...unreadableLines(`${runFiles.evaluations}/${name}`, faultyLines));
    evaluations.push(...lines.map(asEvaluation).filter((line) => line !== undefined));
  }

  return {
    id,
    folder,
    record,
    annotations: asAnnotations(annotationsFile.kind === 'value' ? annotationsFile.value : undefined),
    attempts,
    events,
    checkpoints: await readCheckpoints(folder, note),
    evaluations,
    problems,
  };
}

/** The whole checkpoints of a run, by step. */
export async function readCheckpoints(
  folder: string,
  note: (path: string, file: JsonFile) => void = () => undefined,
): Promise<RunContents['checkpoints']> {
  const checkpoints: RunContents['checkpoints'] = [];
  for (const name of await namesIn(join(folder, runFiles.checkpoints))) {
    if (checkpointStep(name) === undefined) continue;
    const path = join(folder, runFiles.checkpoints, name);
    const file = await readJson(join(path, 'checkpoint.json'));
    note(`${runFiles.checkpoints}/${name}/checkpoint.json`, file);
    const record = file.kind === 'value' ? asCheckpointRecord(file.value) : null;
    if (!record) continue;
    const bytes = Object.values(record.files).reduce((sum, part) => sum + part.bytes, 0);
    checkpoints.push({ name, folder: path, bytes, record });
  }
  return checkpoints.sort((a, b) => a.record.step - b.record.step);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
