import { statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gammaOf } from '../../configs/derive.ts';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { withAbsolutePaths } from '../../experiments/store/reusableRuns.ts';
import { errors } from '../../protocol/errors.ts';
import { readConfigFile } from '../configFile.ts';
import { readAuthorsLog } from '../interchange/authorsLog.ts';
import { importRun, type ImportedLog } from '../interchange/importRun.ts';
import { readTensorboard } from '../interchange/importTensorboard.ts';
import { newRunId } from '../run/runId.ts';
import { exitCodes } from './exitCodes.ts';

const usage = `Usage: simdino import log FILE [options]           log.txt or training_metrics.json of the authors' code
       simdino import tensorboard PATH [options]   an event file, or a folder of them

Makes a finished run with curves and without checkpoints, shown beside your own.

  --runs-dir DIR        where run folders are made (default: runs)
  --run-id ID           name of the run (default: made from the file's name and the time)
  --config CONFIG       the configuration that it was trained with: gives gamma, and with it the coding rate, and steps
  --train-images N      images of the training set, for the steps of an epoch (default: 1281167, ImageNet-1k)
`;

/** `simdino import log|tensorboard`: somebody else's curves as a run. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      'run-id': { type: 'string' },
      config: { type: 'string' },
      'train-images': { type: 'string', default: '1281167' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [format, file] = positionals;
  if (values.help) {
    process.stdout.write(usage);
    return exitCodes.success;
  }
  if (file === undefined) throw errors.usage('`simdino import` takes log or tensorboard, and a path.');
  const trainImages = Number(values['train-images']);
  if (!Number.isInteger(trainImages) || trainImages < 1)
    throw errors.usage(`--train-images takes a whole number, got '${values['train-images']}'.`);
  const path = resolve(file);
  const config = values.config === undefined ? null : configOf(values.config);

  let log: ImportedLog;
  if (format === 'tensorboard') log = readTensorboard(path);
  else if (format === 'log') {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat?.isFile()) throw errors.importUnreadable(path, 'there is no such file');
    const stepsPerEpoch = config ? Math.max(1, Math.floor(trainImages / config.train.batchSize)) : 1;
    const gamma = config ? gammaOf(config) : null;
    log = readAuthorsLog(path, { stepsPerEpoch, gamma, modifiedMs: Math.round(stat.mtimeMs) });
  } else throw errors.usage(`\`simdino import\` takes log or tensorboard, got '${format}'.`);

  const runsFolder = resolve(values['runs-dir']);
  const now = new Date();
  const folder = await importRun(log, {
    id: values['run-id'] ?? newRunId(runsFolder, stemOf(path), now),
    runsFolder,
    source: path,
    command: ['simdino', 'import', ...args],
    config,
    trainImages: config ? trainImages : 0,
    nowMs: now.getTime(),
  });
  process.stdout.write(`${folder} (${log.format}, ${log.lines.length} lines)\n`);
  return exitCodes.success;
}

/** A configuration that a run started from the imported one can be trained with, wherever its folder lies. */
function configOf(pathOrPreset: string): ResolvedConfig {
  const { config, path } = readConfigFile(pathOrPreset);
  return withAbsolutePaths(config, dirname(path));
}

/** Logs all have the same name: what tells them apart is the folder that they lie in. */
function stemOf(path: string): string {
  const name = basename(path);
  const isGeneric = /^(log\.txt|training_metrics\.json|events\.out\.tfevents\..*)$/.test(name);
  return isGeneric ? basename(dirname(path)) : name.replace(/\.(txt|jsonl?|log)$/, '');
}
