/**
 * Checkpoints of a run: folders `checkpoints/step-NNNNNN/` with the networks, the optimiser's moments and a record.
 *
 * A checkpoint is written under a temporary name, flushed, and renamed: whatever moment the process dies at, a folder
 * with the final name is whole. Everything random in training is a function of (seed, step), so the step is all the
 * generator state that there is.
 */
import {
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  fsyncSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errors, isSimdinoError } from '../../protocol/errors.ts';
import { checkpointName, checkpointStep } from '../../protocol/runFolder.ts';
import { recordVersion, type CheckpointRecord } from '../../protocol/records.ts';
import { guard } from '../run/appendLines.ts';
import { readSafetensors, writeSafetensors, type TensorMap } from './safetensors.ts';

const recordFile = 'checkpoint.json';
/** Student and teacher; what evaluations and other tools read. */
export const modelFile = 'model.safetensors';
/** AdamW's moments; needed only to go on training. */
export const optimizerFile = 'optimizer.safetensors';
const isOptimizerTensor = (name: string) => /^(adam|lossScale)\./.test(name);

export interface SavedCheckpoint {
  name: string;
  record: CheckpointRecord;
  bytes: number;
}

/**
 * Writes a checkpoint; an existing one of the same step is kept and returned, since it holds the same numbers.
 *
 * @throws diskFilled, runFolderUnwritable; nothing of it is left then, and earlier ones are as they were
 */
export function saveCheckpoint(
  folder: string,
  state: TensorMap,
  {
    step,
    epoch,
    createdAt,
    metrics,
  }: { step: number; epoch: number; createdAt: string; metrics: Record<string, number> },
): SavedCheckpoint {
  const name = checkpointName(step);
  const target = join(folder, name);
  if (existsSync(target)) return describe(name, readRecord(target));
  return guard(target, () => write(folder, state, { step, epoch, createdAt, metrics }));
}

function write(
  folder: string,
  state: TensorMap,
  { step, epoch, createdAt, metrics }: Pick<CheckpointRecord, 'step' | 'epoch' | 'createdAt' | 'metrics'>,
): SavedCheckpoint {
  const name = checkpointName(step);
  const target = join(folder, name);
  mkdirSync(folder, { recursive: true });
  // In a container a process has the same number after each restart: what a killed one left may stand there.
  const temporary = `${target}.partial-${process.pid}`;
  rmSync(temporary, { recursive: true, force: true });
  try {
    mkdirSync(temporary);
    const files: CheckpointRecord['files'] = {};
    const split = { [modelFile]: (n: string) => !isOptimizerTensor(n), [optimizerFile]: isOptimizerTensor };
    for (const [file, belongs] of Object.entries(split)) {
      const part: TensorMap = new Map([...state].filter(([tensor]) => belongs(tensor)));
      files[file] = writeSafetensors(join(temporary, file), part, { format: 'pt', step: String(step) });
    }
    const record: CheckpointRecord = { version: recordVersion, step, epoch, createdAt, files, metrics };
    writeFileSync(join(temporary, recordFile), `${JSON.stringify(record, null, 2)}\n`, { flush: true });
    renameSync(temporary, target);
    flushFolder(folder);
    return describe(name, record);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** The checkpoints of a run, oldest first. Temporary folders and ones without a readable record are left out. */
export function listCheckpoints(folder: string): SavedCheckpoint[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => checkpointStep(name) !== undefined && existsSync(join(folder, name, recordFile)))
    .sort((a, b) => (checkpointStep(a) ?? 0) - (checkpointStep(b) ?? 0))
    .flatMap((name) => {
      try {
        return [describe(name, readRecord(join(folder, name)))];
      } catch (error) {
        if (isSimdinoError(error) && error.code === 'checkpointCorrupt') return [];
        throw error;
      }
    });
}

/**
 * Reads a checkpoint after verifying every file's checksum.
 *
 * @throws checkpointCorrupt naming the file that differs
 */
export async function loadCheckpoint(path: string): Promise<{ record: CheckpointRecord; state: TensorMap }> {
  const record = readRecord(path);
  const state: TensorMap = new Map();
  for (const [file, { sha256 }] of Object.entries(record.files)) {
    const filePath = join(path, file);
    if (!existsSync(filePath)) throw errors.checkpointCorrupt(path, `${file} is missing`);
    const got = await sha256Of(filePath);
    if (got !== sha256) throw errors.checkpointCorrupt(filePath, `its SHA-256 is ${got}, the record says ${sha256}`);
    for (const [name, tensor] of readSafetensors(filePath)) state.set(name, tensor);
  }
  return { record, state };
}

/** Deletes the oldest checkpoints beyond `keep` and any temporary folder left by a dead trainer. */
export function pruneCheckpoints(folder: string, keep: number): string[] {
  for (const name of readdirSync(folder))
    if (/^step-\d+\.partial-\d+$/.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
  const surplus = listCheckpoints(folder).slice(0, -keep);
  for (const { name } of surplus) rmSync(join(folder, name), { recursive: true, force: true });
  return surplus.map(({ name }) => name);
}

function readRecord(path: string): CheckpointRecord {
  let record: CheckpointRecord;
  try {
    record = JSON.parse(readFileSync(join(path, recordFile), 'utf8')) as CheckpointRecord;
  } catch (error) {
    throw errors.checkpointCorrupt(path, `${recordFile}: ${(error as Error).message}`);
  }
  if (record.version > recordVersion)
    throw errors.checkpointCorrupt(path, `it is of version ${record.version}, newer than ${recordVersion}`);
  return record;
}

function describe(name: string, record: CheckpointRecord): SavedCheckpoint {
  const bytes = Object.values(record.files).reduce((sum, file) => sum + file.bytes, 0);
  return { name, record, bytes };
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** A rename is durable only once the folder that holds the name is flushed; Windows has no such call. */
function flushFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
