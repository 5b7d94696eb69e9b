/** What the commands that evaluate a run have in common: its checkpoint, its data, and where the figures go. */
import { statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { configSchema, type ResolvedConfig } from '../../configs/schema.ts';
import { errors } from '../../protocol/errors.ts';
import type { EvaluationLine, RunRecord } from '../../protocol/records.ts';
import { checkpointName, runFiles } from '../../protocol/runFolder.ts';
import { listCheckpoints, loadCheckpoint } from '../checkpoint/checkpoint.ts';
import type { TensorMap } from '../checkpoint/safetensors.ts';
import { findConfigFile, readConfigFile } from '../configFile.ts';
import type { Dataset } from '../data/dataset.ts';
import { writeEvaluation } from '../eval/evaluateCheckpoint.ts';
import { readTrainedRun } from '../run/openRun.ts';
import { openTrainingData } from '../run/trainingData.ts';
import { openConfiguredData } from './configuredData.ts';

/** Options of every such command. */
export const evaluatedRunOptions = {
  'runs-dir': { type: 'string', default: 'runs' },
  step: { type: 'string' },
  untrained: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

export interface EvaluatedRun {
  id: string;
  folder: string;
  record: RunRecord;
  config: ResolvedConfig;
  step: number;
  /** null: the network as the seed draws it. */
  state: TensorMap | null;
}

/**
 * Opens a checkpoint of a run: the last, or that of `--step`; with `--untrained` the network before any step.
 *
 * @throws runMissing, runImported, runNotEvaluable
 */
export async function openEvaluatedRun(
  id: string,
  options: { 'runs-dir': string; step?: string | undefined; untrained: boolean },
): Promise<EvaluatedRun> {
  const { folder, record, config } = readTrainedRun(resolve(options['runs-dir']), id);
  if (options.untrained) return { id, folder, record, config, step: 0, state: null };
  const { state, step } = await loadCheckpointOf(id, folder, options.step);
  return { id, folder, record, config, step, state };
}

/**
 * Loads a checkpoint of a run, the last unless `step` says which.
 *
 * @throws runNotEvaluable, checkpointCorrupt
 */
export async function loadCheckpointOf(
  id: string,
  folder: string,
  step: string | undefined,
): Promise<{ state: TensorMap; step: number }> {
  const checkpoints = join(folder, runFiles.checkpoints);
  const kept = listCheckpoints(checkpoints);
  const name = step === undefined ? kept.at(-1)?.name : checkpointName(wholeNumber('step', step));
  if (name === undefined) throw errors.runNotEvaluable(id, 'it has no checkpoint yet');
  if (!kept.some((checkpoint) => checkpoint.name === name)) {
    const steps = kept.map((checkpoint) => checkpoint.record.step).join(', ') || 'none';
    throw errors.runNotEvaluable(id, `it has no checkpoint of step ${step}; it has ${steps}`);
  }
  const { state, record } = await loadCheckpoint(join(checkpoints, name));
  return { state, step: record.step };
}

/** The data set that a run was trained on. */
export async function openRunData({ config, record }: EvaluatedRun): Promise<Dataset> {
  const { dataset } = await openTrainingData(config, dirname(record.configSource), (text) =>
    process.stderr.write(`${text}\n`),
  );
  return dataset;
}

/**
 * Other images than a run was trained on: a folder of images, or the data set of a configuration.
 *
 * @returns its name besides, by which its figures are told apart: the absolute path of the data, or their kind where they have none
 * @throws otherDataMissing, configInvalid, and what `openDataset` throws
 */
export async function openOtherData(place: string): Promise<{ dataset: Dataset; name: string }> {
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder && findConfigFile(place) === undefined) throw errors.otherDataMissing(place, resolve(place));
  const file = isFolder ? undefined : readConfigFile(place);
  const data = file?.config.data ?? configSchema.parse({ data: { kind: 'imagefolder', path: resolve(place) } }).data;
  const configPath = file?.path ?? place;
  return {
    dataset: await openConfiguredData(data, configPath),
    name: data.path === undefined ? data.kind : resolve(dirname(configPath), data.path),
  };
}

/** Writes figures into a file of their own in the run's `evals/`, and says them. */
export function reportFigures(
  run: EvaluatedRun,
  figures: { evaluation: string; split: string; data?: string; [metric: string]: number | string | undefined },
  { json, text }: { json: boolean; text: string },
): void {
  const time = Date.now();
  const { evaluation, split, ...rest } = figures;
  const line: EvaluationLine = { evaluation, step: run.step, time, split, ...rest };
  const name = `${evaluation}-${split}-${String(run.step).padStart(6, '0')}-${time}`;
  // What the network knew before training is no point of the run's curve.
  const path = run.state === null ? null : writeEvaluation(run.folder, name, [line]);
  if (json) process.stdout.write(`${JSON.stringify({ ...line, untrained: run.state === null, path })}\n`);
  else process.stdout.write(`${run.id}, ${run.state === null ? 'untrained' : `step ${run.step}`}: ${text}\n`);
}

/** Writes what a command makes besides its figures, which are kept by then. @param what is in the file, for the message */
export async function writeOutput(what: string, path: string, content: string | Buffer): Promise<void> {
  await writeFile(resolve(path), content).catch((error: unknown) => {
    throw errors.usage(`The ${what} can't be written to ${resolve(path)}: ${(error as Error).message}.`);
  });
}

export function wholeNumber(option: string, value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value)) throw errors.usage(`--${option} takes a whole number, got '${value}'.`);
  return number;
}

/** Which network a picture shows: `RUN, step 8`. */
export const networkTitle = ({ id, state, step }: EvaluatedRun): string =>
  `${id}, ${state ? `step ${step}` : 'untrained'}`;

export const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** `--size` as a side of whole patches, two at least. */
export function sideOfPatches(size: string, patchPx: number): number {
  return patchPx * Math.max(2, Math.round(wholeNumber('size', size) / patchPx));
}
