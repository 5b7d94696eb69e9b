/** The two ways into training: a new run from a configuration, and the next attempt of one that is there. */
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { derive } from '../../configs/derive.ts';
import { architectures, type ResolvedConfig } from '../../configs/schema.ts';
import { errors, isSimdinoError } from '../../protocol/errors.ts';
import { isImportedLog, recordVersion, type RunRecord } from '../../protocol/records.ts';
import { isRunId, runFiles } from '../../protocol/runFolder.ts';
import { listCheckpoints, loadCheckpoint } from '../checkpoint/checkpoint.ts';
import type { TensorMap } from '../checkpoint/safetensors.ts';
import { readConfigFile } from '../configFile.ts';
import { describeEnvironment, describeGit } from './environment.ts';
import { libraryVersions, studioVersion } from './versions.ts';
import { createRunFolder, readAttempts } from './runFolder.ts';
import { newRunId } from './runId.ts';

/** A run that is ready to be trained. */
export interface OpenRun {
  folder: string;
  record: RunRecord;
  config: ResolvedConfig;
  /** Where to continue; null on a run's first attempt. */
  resume: {
    /** Null where the checkpoint is another run's. */
    attempt: number | null;
    step: number;
    state: TensorMap;
  } | null;
  /** Things worth telling, such as a damaged checkpoint that was passed over. */
  notes: string[];
}

export interface NewRun {
  /** The run's name, or what one is to be made from. */
  id: string | { from: string };
  runsFolder: string;
  config: ResolvedConfig;
  configSource: string;
  trainImages: number;
  command: string[];
  sweep: RunRecord['sweep'];
  parent: RunRecord['parent'];
  createdAt: string;
}

/**
 * Makes the folder of a new run. Of several starts that make the same name at the same moment, one gets it and the others
 * take the next.
 *
 * @throws diskFull when the checkpoints that it will keep don't fit, runExists, runFolderUnwritable
 */
export function createRun(run: NewRun): OpenRun {
  const { config } = run;
  const derived = derive(config, { trainImages: run.trainImages });
  const parameters = derived.parametersBackbone + derived.parametersProjector;
  requireSpace(run.runsFolder, (config.checkpoint.keep + 1) * checkpointBytes(parameters));
  const git = describeGit(dirname(run.configSource)) ?? describeGit(process.cwd());
  const recordOf = (id: string): RunRecord => ({
    version: recordVersion,
    id,
    createdAt: run.createdAt,
    command: run.command,
    workingFolder: process.cwd(),
    configSource: run.configSource,
    seed: config.seed,
    method: config.method,
    git: git?.record ?? null,
    environment: describeEnvironment(studioVersion(), libraryVersions()),
    parent: run.parent,
    sweep: run.sweep,
    totalSteps: derived.totalSteps,
    stepsPerEpoch: derived.stepsPerEpoch,
    trainImages: run.trainImages,
    parameters,
  });
  const contents = { config: formatResolvedConfig(config), dirtyDiff: git?.dirtyDiff ?? null };
  const claim = (id: string): OpenRun => {
    const record = recordOf(id);
    const folder = createRunFolder(run.runsFolder, record, contents);
    return { folder, record, config, resume: null, notes: [] };
  };
  if (typeof run.id === 'string') return claim(run.id);
  for (const tried = new Set<string>(); ;) {
    const id = newRunId(run.runsFolder, run.id.from, new Date(run.createdAt), tried);
    try {
      return claim(id);
    } catch (error) {
      if (!isSimdinoError(error) || error.code !== 'runExists') throw error;
      tried.add(id); // somebody was quicker
    }
  }
}

/**
 * Opens a run for its next attempt, at its newest checkpoint that is whole; from the start when it has none. With `from`, at the
 * checkpoint of that step: what came after it is computed again.
 *
 * @throws runMissing, runImported, runNotResumable when it has finished
 */
export async function reopenRun(runsFolder: string, id: string, { from }: { from?: number } = {}): Promise<OpenRun> {
  const { folder, record, config } = readTrainedRun(runsFolder, id);
  const checkpoints = listCheckpoints(join(folder, runFiles.checkpoints)).filter(
    ({ record: { step } }) => from === undefined || step === from,
  );
  if (from !== undefined && checkpoints.length === 0)
    throw errors.runNotResumable(id, `it has no checkpoint at step ${from}`);

  const notes: string[] = [];
  for (const { name, record: checkpoint } of checkpoints.reverse()) {
    if (checkpoint.step >= record.totalSteps) throw errors.runNotResumable(id, 'it has finished');
    try {
      const { state } = await loadCheckpoint(join(folder, runFiles.checkpoints, name));
      const attempt = attemptOf(folder, checkpoint.step);
      return { folder, record, config, resume: { attempt, step: checkpoint.step, state }, notes };
    } catch (error) {
      notes.push(`${(error as Error).message} Trying an earlier checkpoint.`);
    }
  }
  notes.push('No checkpoint to resume from: training starts from step 0.');
  const last = readAttempts(folder).at(-1);
  return { folder, record, config, resume: last ? { attempt: last.index, step: 0, state: new Map() } : null, notes };
}

/** A run's record and configuration. @throws runMissing, runNotResumable for a newer version, configInvalid */
export function readRunFolder(runsFolder: string, id: string): Pick<OpenRun, 'folder' | 'record' | 'config'> {
  const { folder, record } = readRunRecord(runsFolder, id);
  return { folder, record, config: readConfigFile(join(folder, runFiles.config)).config };
}

/** The same of a run that has, or may come to have, a network. @throws runImported besides */
export function readTrainedRun(runsFolder: string, id: string): ReturnType<typeof readRunFolder> {
  const { record } = readRunRecord(runsFolder, id);
  if (isImportedLog(record)) throw errors.runImported(id, record.configSource, record.trainImages > 0);
  return readRunFolder(runsFolder, id);
}

/** A run's record, without its configuration. @throws runMissing, runNotResumable for a newer version */
export function readRunRecord(runsFolder: string, id: string): Pick<OpenRun, 'folder' | 'record'> {
  const folder = join(runsFolder, id);
  const recordPath = join(folder, runFiles.record);
  if (!isRunId(id) || !existsSync(recordPath)) throw errors.runMissing(id, runsFolder);
  const record = JSON.parse(readFileSync(recordPath, 'utf8')) as RunRecord;
  if (record.version > recordVersion)
    throw errors.runNotResumable(id, `its record is of version ${record.version}, newer than ${recordVersion}`);
  return { folder, record };
}

/** Lines up to a checkpoint's step are those of the newest attempt, which wrote it or resumed at or before it. */
function attemptOf(folder: string, step: number): number {
  const writers = readAttempts(folder).filter(({ resumedFrom }) => (resumedFrom?.step ?? 0) <= step);
  return writers.at(-1)?.index ?? 1;
}

/** `config.yaml` of a run: every value spelled out, so that a later default changes nothing. */
export function formatResolvedConfig(config: ResolvedConfig): string {
  const { model, ...rest } = config;
  const { width, depth, heads, ...named } = model;
  const isNamed = model.architecture in architectures;
  return stringify({ ...rest, model: isNamed ? named : { ...named, width, depth, heads } }, { lineWidth: 0 });
}

/** Student, teacher and two moments of the student, in float32. */
function checkpointBytes(parameters: number): number {
  return 4 * 4 * parameters;
}

function requireSpace(folder: string, neededBytes: number): void {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  const freeBytes = bavail * bsize;
  if (freeBytes < neededBytes) throw errors.diskFull(folder, neededBytes, freeBytes);
}
