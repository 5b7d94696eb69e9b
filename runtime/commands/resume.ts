import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { submitRun } from '../cluster/submitRun.ts';
import { reopenRun } from '../run/openRun.ts';
import { openTrainingData } from '../run/trainingData.ts';
import { launchedRanks } from '../parallel/launchedRanks.ts';
import { followTraining } from '../parallel/followTraining.ts';
import { trainInTerminal } from './trainInTerminal.ts';

/**
 * `simdino resume`: opens the next attempt of a run at its newest whole checkpoint, or with `--from STEP` at that one; a run of a
 * cluster is given to it again.
 */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      from: { type: 'string' },
      here: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const [id] = positionals;
  if (id === undefined) throw errors.usage('`simdino resume` needs the name of a run.');
  const runsFolder = resolve(values['runs-dir']);
  const from = values.from === undefined ? undefined : Number(values.from);
  if (from !== undefined && !Number.isSafeInteger(from))
    throw errors.usage(`--from takes a step, got '${values.from}'.`);
  const opened = await reopenRun(runsFolder, id, from === undefined ? {} : { from });
  if (opened.config.runtime.launcher === 'slurm' && !values.here) {
    if (from !== undefined)
      throw errors.usage('A job of a cluster resumes at the newest checkpoint; --from needs --here.');
    const { config } = opened;
    return submitRun({ runId: id, runsFolder, config }, { tool: 'simdino resume', json: values.json });
  }
  const others = launchedRanks();
  const { dataset } = await openTrainingData(opened.config, dirname(opened.record.configSource), (text) =>
    process.stderr.write(`${text}\n`),
  );
  if (others && others.rank > 0)
    return followTraining(opened.config, dataset, { share: others, resume: opened.resume });
  return trainInTerminal(opened, dataset, { json: values.json });
}
