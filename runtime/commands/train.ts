import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { JsonScalar, RunRecord } from '../../protocol/records.ts';
import { parseOverrides, readConfigFile } from '../configFile.ts';
import { formatDiagnostics } from '../../configs/diagnostic.ts';
import { submitRun } from '../cluster/submitRun.ts';
import { forkRun } from '../run/forkRun.ts';
import { createRun, type NewRun } from '../run/openRun.ts';
import { openTrainingData } from '../run/trainingData.ts';
import { launchedRanks } from '../parallel/launchedRanks.ts';
import { followTraining } from '../parallel/followTraining.ts';
import { errors } from '../../protocol/errors.ts';
import { parseParent } from './parent.ts';
import { trainInTerminal } from './trainInTerminal.ts';

const usage = `Usage: simdino train CONFIG [options]

CONFIG is a YAML file or a preset's name, such as quickstart: "simdino config list" has all of them.

  --runs-dir DIR     where run folders are made (default: runs)
  --run-id ID        name of the run (default: made from the configuration's name and the time)
  --set KEY=VALUE    changes one value, for example --set loss.eps=0.3; may be repeated
  --parent RUN:STEP  the run that this one is forked from; with a step above 0, it starts from that checkpoint
  --name NAME        what the run's name is made from, in place of the configuration's name
  --source PATH      records where the configuration came from, when CONFIG is a copy
  --sweep JSON       records the cell of a sweep that this run is: {"id", "cell", "seed"}
  --here             trains in this process even where runtime.launcher names a cluster
  --json             prints one JSON object at the end instead of text
`;

/** `simdino train` */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      'run-id': { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      parent: { type: 'string' },
      source: { type: 'string' },
      name: { type: 'string' },
      sweep: { type: 'string' },
      here: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [configArgument] = positionals;
  if (values.help || configArgument === undefined) {
    process.stdout.write(usage);
    return values.help ? 0 : 2;
  }
  const file = readConfigFile(configArgument, parseOverrides(values.set));
  if (file.warnings.length > 0) process.stderr.write(`${formatDiagnostics(file.warnings, file.text, file.path)}\n`);

  const runsFolder = resolve(values['runs-dir']);
  const parent = parseParent(values.parent);
  const now = new Date();
  const others = launchedRanks();
  const { config, dataset } = await openTrainingData(file.config, dirname(file.path), (text) =>
    process.stderr.write(`${text}\n`),
  );
  if (others && others.rank > 0) {
    if (parent && parent.step > 0)
      throw errors.usage(
        'A run that starts from a checkpoint of another is made first, by one process; then resume it.',
      );
    return followTraining(config, dataset, { share: others, resume: null });
  }
  const newRun: NewRun = {
    id: values['run-id'] ?? { from: values.name ?? basename(file.path) },
    runsFolder,
    config,
    configSource: values.source ?? file.path,
    trainImages: dataset.train.size,
    command: ['simdino', 'train', ...args],
    sweep: parseSweep(values.sweep),
    parent,
    createdAt: now.toISOString(),
  };
  const opened = parent && parent.step > 0 ? await forkRun({ ...newRun, parent }) : createRun(newRun);
  if (config.runtime.launcher === 'slurm' && !values.here) {
    const { id: runId } = opened.record;
    return submitRun({ runId, runsFolder, config }, { tool: 'simdino train', json: values.json });
  }
  return trainInTerminal(opened, dataset, { json: values.json });
}

function parseSweep(text: string | undefined): RunRecord['sweep'] {
  return text === undefined
    ? null
    : (JSON.parse(text) as { id: string; cell: Record<string, JsonScalar>; seed: number });
}
