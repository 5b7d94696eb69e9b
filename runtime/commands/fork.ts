import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { stemOf } from '../../experiments/runId.ts';
import { errors } from '../../protocol/errors.ts';
import { isImportedLog } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { listCheckpoints } from '../checkpoint/checkpoint.ts';
import { readRunRecord } from '../run/openRun.ts';
import { exitCodes } from './exitCodes.ts';

const usage = `Usage: simdino fork RUN [options]   a new run with a run's configuration and some values changed

  --at STEP|last     the checkpoint to go on from (default: 0, from the start)
  --set KEY=VALUE    changes one value; may be repeated
  --queue            lets it wait until its device is free instead of training it here
  --run-id ID        name of the new run
  --runs-dir DIR     where run folders are (default: runs)
  --json             prints one JSON object at the end instead of text
`;

/** `simdino fork` */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      'run-id': { type: 'string' },
      at: { type: 'string', default: '0' },
      set: { type: 'string', multiple: true, default: [] },
      queue: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [id] = positionals;
  if (values.help || id === undefined) {
    process.stdout.write(usage);
    return values.help ? exitCodes.success : exitCodes.usage;
  }
  const runsFolder = resolve(values['runs-dir']);
  const { folder, record } = readRunRecord(runsFolder, id);
  const isImported = isImportedLog(record);
  const isConfigKnown = record.trainImages > 0;
  if (isImported && (!isConfigKnown || values.at !== '0'))
    throw errors.runImported(id, record.configSource, isConfigKnown);
  const newest = listCheckpoints(join(folder, runFiles.checkpoints)).at(-1)?.record.step;
  const step = values.at === 'last' ? newest : Number(values.at);
  if (step === undefined) throw errors.usage(`Run '${id}' has no checkpoint yet.`);
  const forwarded = [
    ...[join(folder, runFiles.config), '--runs-dir', runsFolder, '--parent', `${id}:${step}`],
    // What a log was imported from is no configuration.
    ...(isImported ? [] : ['--source', record.configSource]),
    ...['--name', stemOf(id)],
    ...values.set.flatMap((change) => ['--set', change]),
    ...(values['run-id'] === undefined ? [] : ['--run-id', values['run-id']]),
    ...(values.json ? ['--json'] : []),
  ];
  if (values.queue) return (await import('./queue.ts')).run(['add', ...forwarded]);
  return (await import('./train.ts')).run(forwarded);
}
