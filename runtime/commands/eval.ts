import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { checkpointName, runFiles } from '../../protocol/runFolder.ts';
import { listCheckpoints, loadCheckpoint } from '../checkpoint/checkpoint.ts';
import { evaluateCheckpoint, writeEvaluation } from '../eval/evaluateCheckpoint.ts';
import { readRunFolder } from '../run/openRun.ts';
import { openTrainingData } from '../run/trainingData.ts';
import { exitCodes } from './exitCodes.ts';

/** `simdino eval`: k-NN on a checkpoint of a run, written into the run's `evals/`. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      step: { type: 'string' },
      split: { type: 'string', default: 'test' },
      json: { type: 'boolean', default: false },
    },
  });
  const [id] = positionals;
  if (id === undefined) throw errors.usage('`simdino eval` needs the name of a run.');
  const { split } = values;
  if (split !== 'test' && split !== 'validation')
    throw errors.usage(`--split takes test or validation, got '${split}'.`);

  const { folder, record, config } = readRunFolder(resolve(values['runs-dir']), id);
  const checkpoints = join(folder, runFiles.checkpoints);
  const name =
    values.step === undefined ? listCheckpoints(checkpoints).at(-1)?.name : checkpointName(Number(values.step));
  if (name === undefined) throw errors.runNotEvaluable(id, 'it has no checkpoint yet');
  const checkpoint = await loadCheckpoint(join(checkpoints, name));
  const { dataset } = await openTrainingData(config, dirname(record.configSource), (text) =>
    process.stderr.write(`${text}\n`),
  );
  const { step } = checkpoint.record;
  const result = await evaluateCheckpoint(config, dataset, { state: checkpoint.state, split });
  const time = Date.now();
  const line = { evaluation: 'knn', step, time, split, knnTop1: result.top1, knnTop5: result.top5, k: result.k };
  const path = writeEvaluation(folder, `knn-${split}-${String(step).padStart(6, '0')}-${time}`, [line]);
  if (values.json)
    process.stdout.write(
      `${JSON.stringify({ ...line, galleryImages: result.galleryImages, queryImages: result.queryImages, path })}\n`,
    );
  else
    process.stdout.write(
      `${id}, step ${step}: ${result.k}-NN top-1 ${(100 * result.top1).toFixed(2)} %, top-5 ${(100 * result.top5).toFixed(2)} % ` +
        `(${result.queryImages} ${split} images against ${result.galleryImages})\n`,
    );
  return exitCodes.success;
}
