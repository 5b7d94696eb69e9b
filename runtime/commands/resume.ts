import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { reopenRun } from '../run/openRun.ts';
import { openTrainingData } from '../run/trainingData.ts';
import { trainInTerminal } from './trainInTerminal.ts';

/** `simdino resume`: opens the next attempt of a run at its newest whole checkpoint, or with `--from STEP` at that one. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      from: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [id] = positionals;
  if (id === undefined) throw errors.usage('`simdino resume` needs the name of a run.');
  const from = values.from === undefined ? undefined : Number(values.from);
  if (from !== undefined && !Number.isSafeInteger(from))
    throw errors.usage(`--from takes a step, got '${values.from}'.`);
  const opened = await reopenRun(resolve(values['runs-dir']), id, from === undefined ? {} : { from });
  const { dataset } = await openTrainingData(opened.config, dirname(opened.record.configSource), (text) =>
    process.stderr.write(`${text}\n`),
  );
  return trainInTerminal(opened, dataset, { json: values.json });
}
