import { constants } from 'node:fs';
import { access, mkdir, stat, statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { derive, knownTrainImages } from '../../configs/derive.ts';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { isShardPattern, patternFolder } from '../../configs/shardPattern.ts';
import { errors, type SimdinoError } from '../../protocol/errors.ts';

/** Something that would make a run fail or suffer, found before it starts. */
export interface Finding {
  severity: 'error' | 'warning';
  message: string;
  /** The key to change, if that is the remedy. */
  key?: string;
}

/** Bytes of a parameter in a checkpoint: student, teacher and two moments, each float32. */
const checkpointBytesPerParameter = 16;
/** Rough bytes of an activation that is kept for the gradient, per token, layer and unit of width, in float32. */
const activationBytes = 4 * 34;

/** Looks for what would stop a run: missing data, an unwritable or full disk, too little memory. */
export async function preflight(
  config: ResolvedConfig,
  { configPath, runsFolder }: { configPath: string; runsFolder: string },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const fail = ({ message }: SimdinoError, key?: string): void => {
    findings.push({ severity: 'error', message, ...(key === undefined ? {} : { key }) });
  };

  if (config.data.path !== undefined && config.data.kind !== 'synthetic') {
    const path = resolve(dirname(configPath), config.data.path);
    const isThere = (await exists(path)) || (isShardPattern(path) && (await exists(patternFolder(path))));
    if (!isThere) fail(errors.dataPathMissing(path), 'data.path');
  }

  try {
    await mkdir(runsFolder, { recursive: true });
    await access(runsFolder, constants.W_OK);
    const checkpointBytes = parameterCount(config) * checkpointBytesPerParameter;
    const neededBytes = (config.checkpoint.keep + 1) * checkpointBytes + 2 ** 24;
    const { bavail, bsize } = await statfs(runsFolder);
    if (bavail * bsize < neededBytes) fail(errors.diskFull(runsFolder, neededBytes, bavail * bsize));
  } catch (error) {
    fail(errors.runFolderUnwritable(runsFolder, (error as Error).message));
  }

  const neededBytes = memoryEstimate(config);
  if (neededBytes > totalmem()) {
    const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
    findings.push({
      severity: 'warning',
      message: `The step may need about ${gib(neededBytes)} GiB of memory; this machine has ${gib(totalmem())} GiB. Lower train.batchSize or crops.local.count.`,
      key: 'train.batchSize',
    });
  }
  return findings;
}

/** Memory of a training step in bytes, to within a factor of two: parameters with their moments, and activations of all views. */
export function memoryEstimate(config: ResolvedConfig): number {
  const { tokensPerImage } = derive(config, { trainImages: knownTrainImages(config) ?? config.train.batchSize });
  const { width, depth } = config.model;
  const activations = config.train.batchSize * tokensPerImage * depth * width * activationBytes;
  return activations + 2 * parameterCount(config) * checkpointBytesPerParameter;
}

function parameterCount(config: ResolvedConfig): number {
  const { parametersBackbone, parametersProjector } = derive(config, { trainImages: config.train.batchSize });
  return parametersBackbone + parametersProjector;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
