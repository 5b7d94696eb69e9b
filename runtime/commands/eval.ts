import { parseArgs } from 'node:util';
import { errors } from '../../protocol/errors.ts';
import { checkpointFeatures } from '../eval/evaluateCheckpoint.ts';
import { evaluateKnn } from '../eval/evaluateKnn.ts';
import { evaluateLinear } from '../eval/linearProbe.ts';
import { executorHosts } from '../eval/programHost.ts';
import {
  evaluatedRunOptions,
  openEvaluatedRun,
  openOtherData,
  openRunData,
  percent,
  reportFigures,
  wholeNumber,
} from './evaluatedRun.ts';
import { exitCodes } from './exitCodes.ts';

const usage = `Usage: simdino eval RUN [options]

  --what LIST        knn, linear (default: knn), separated by commas
  --split SPLIT      test or validation (default: test, or validation where the data have no test split)
  --data PLACE       other images than the run's own: a folder with train/ and val/, or a configuration whose data is taken;
                     their figures are curves of their own, named by the data's absolute path
  --k LIST           numbers of neighbours, the first one for the curves (default: the configuration's)
  --voting V         v1 or v2: how DINO and DINOv2 weigh votes; both elect the same class
  --protocol P       v1 or v2: one linear classifier of DINO's, or DINOv2's grid (default: the configuration's)
  --step N           default: the last checkpoint
  --untrained        the network as the seed draws it, for comparison; nothing is written
  --runs-dir DIR, --json
`;

/** `simdino eval`: k-NN and linear classification with a checkpoint of a run, written into the run's `evals/`. */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...evaluatedRunOptions,
      split: { type: 'string' },
      data: { type: 'string' },
      what: { type: 'string', default: 'knn' },
      k: { type: 'string' },
      voting: { type: 'string', default: 'v1' },
      protocol: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return exitCodes.success;
  }
  const [id] = positionals;
  if (id === undefined) throw errors.usage('`simdino eval` needs the name of a run.');
  const asked = values.split === undefined ? undefined : oneOf('split', values.split, ['test', 'validation'] as const);
  const voting = oneOf('voting', values.voting, ['v1', 'v2'] as const);
  const protocol =
    values.protocol === undefined ? undefined : oneOf('protocol', values.protocol, ['v1', 'v2'] as const);
  const what = values.what.split(',').map((name) => oneOf('what', name, ['knn', 'linear'] as const));
  const ks = values.k?.split(',').map((k) => wholeNumber('k', k));

  const evaluated = await openEvaluatedRun(id, values);
  const other = values.data === undefined ? undefined : await openOtherData(values.data);
  const dataset = other?.dataset ?? (await openRunData(evaluated));
  const split = asked ?? (dataset.test === null && dataset.validation !== null ? 'validation' : 'test');
  const ofData = other ? { data: other.name } : {};
  const images = `${other ? `${other.name}, ` : ''}${split} images`;
  const linear = { ...evaluated.config.eval.linear, ...(protocol ? { protocol } : {}) };
  const config = { ...evaluated.config, eval: { ...evaluated.config.eval, linear } };
  const openHost = executorHosts(config);
  const features = await checkpointFeatures(config, dataset, { state: evaluated.state, split, evaluations: what });
  if (features.knn) {
    const [k = config.eval.knn.k, ...alsoK] = ks ?? [];
    const result = await evaluateKnn(features.knn, { ...config.eval.knn, k }, { voting, alsoK, openHost });
    const further = result.byK.slice(1).map((other) => [`knnTop1At${other.k}`, other.top1] as const);
    reportFigures(
      evaluated,
      {
        evaluation: 'knn',
        split,
        ...ofData,
        knnTop1: result.top1,
        knnTop5: result.top5,
        k: result.k,
        voting,
        galleryImages: result.galleryImages,
        queryImages: result.queryImages,
        ...Object.fromEntries(further),
      },
      {
        json: values.json,
        text:
          result.byK.map((one) => `${one.k}-NN top-1 ${percent(one.top1)}, top-5 ${percent(one.top5)}`).join('; ') +
          ` (${result.queryImages} ${images} against ${result.galleryImages})`,
      },
    );
  }
  if (features.linear) {
    const { best, classifiers, trainImages, testImages } = await evaluateLinear(features.linear, linear, openHost);
    reportFigures(
      evaluated,
      {
        evaluation: 'linear',
        split,
        ...ofData,
        linearTop1: best.top1,
        linearTop5: best.top5,
        protocol: linear.protocol,
        blocks: best.blocks,
        pooling: best.pooling,
        rate: best.rate,
        classifiers: classifiers.length,
        trainImages,
        testImages,
      },
      {
        json: values.json,
        text:
          `linear top-1 ${percent(best.top1)}, top-5 ${percent(best.top5)} (${linear.protocol}, best of ${classifiers.length}: ` +
          `${best.blocks} ${best.blocks === 1 ? 'block' : 'blocks'}, ${best.pooling}, rate ${best.rate}; ${testImages} ${images} after ${trainImages})`,
      },
    );
  }
  return exitCodes.success;
}

function oneOf<T extends string>(option: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw errors.usage(`--${option} takes ${choices.join(' or ')}, got '${value}'.`);
  return found;
}
