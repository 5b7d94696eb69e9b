import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { performance } from 'node:perf_hooks';
import { loadCheckpoint, listCheckpoints } from '../checkpoint/checkpoint.ts';
import type { TensorMap } from '../checkpoint/safetensors.ts';
import type { EvaluationLine } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { parseOverrides, presetsFolder, readConfigFile } from '../configFile.ts';
import { checkpointFeatures, writeEvaluation } from '../eval/evaluateCheckpoint.ts';
import { evaluateKnn, type KnnEvaluation } from '../eval/evaluateKnn.ts';
import { pixelFeatures } from '../eval/evaluationFeatures.ts';
import { rawPixels } from '../eval/extractFeatures.ts';
import { executorHosts } from '../eval/programHost.ts';
import { writeReport } from '../report/writeReport.ts';
import { createRun } from '../run/openRun.ts';
import { openTrainingData } from '../run/trainingData.ts';
import { exitCodes } from './exitCodes.ts';
import { formatDuration } from './progress.ts';
import { formatTable } from './runs.ts';
import { trainInTerminal } from './trainInTerminal.ts';

/**
 * `simdino quickstart`: trains the quick start and shows what it learned, on the test split, which no choice of
 * hyperparameters has seen: raw pixels, the network before training, the network after.
 */
export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      set: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
    },
  });
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const startedMs = performance.now();
  const runsFolder = resolve(values['runs-dir']);
  const file = readConfigFile('quickstart', parseOverrides(values.set));
  const { config, dataset } = await openTrainingData(file.config, presetsFolder, say);
  say(`SimDINO quick start: ${dataset.kind}, ${dataset.train.size} training images; runs in ${runsFolder}`);

  const now = new Date();
  const opened = createRun({
    id: { from: 'quickstart' },
    runsFolder,
    config,
    configSource: file.path,
    trainImages: dataset.train.size,
    command: ['simdino', 'quickstart', ...args],
    sweep: null,
    parent: null,
    createdAt: now.toISOString(),
  });
  const { folder, record } = opened;
  const trainStartedMs = performance.now();
  const code = await trainInTerminal(opened, dataset, { json: false });
  if (code !== exitCodes.success) return code;
  const trainMs = performance.now() - trainStartedMs;

  say('Evaluating on the test split...');
  const checkpoints = join(folder, runFiles.checkpoints);
  const last = listCheckpoints(checkpoints).at(-1);
  if (!last) throw new Error('internal: a finished run has no checkpoint');
  const { state } = await loadCheckpoint(join(checkpoints, last.name));
  const pixels = rawPixels(await dataset.train.image(0), config.data);
  const networkAccuracy = async (of: TensorMap | null) => {
    const features = await checkpointFeatures(config, dataset, { state: of, split: 'test', evaluations: ['knn'] });
    return evaluateKnn(features.knn!, config.eval.knn, { openHost: executorHosts(config) });
  };
  const results = {
    'raw pixels': await evaluateKnn(await pixelFeatures(pixels, dataset, config, 'test'), config.eval.knn),
    'untrained network': await networkAccuracy(null),
    'trained network (teacher)': await networkAccuracy(state),
  };
  const time = Date.now();
  const line = (features: string, { top1, top5, k }: KnnEvaluation): EvaluationLine => ({
    evaluation: 'knn',
    features,
    step: features.startsWith('trained') ? last.record.step : 0,
    time,
    split: 'test',
    knnTop1: top1,
    knnTop5: top5,
    k,
  });
  const lines = Object.entries(results).map(([features, result]) => line(features, result));
  writeEvaluation(folder, `knn-test-${time}`, lines);
  const report = await writeReport(runsFolder, [record.id], join(folder, runFiles.artifacts, 'report.html'));

  if (values.json) {
    const accuracies = Object.fromEntries(Object.entries(results).map(([features, { top1 }]) => [features, top1]));
    process.stdout.write(`${JSON.stringify({ id: record.id, seed: config.seed, trainMs, accuracies, report })}\n`);
    return exitCodes.success;
  }
  const { k, galleryImages, queryImages } = results['raw pixels'];
  const rows = Object.entries(results).map(([features, { top1 }]) => [features, `${(100 * top1).toFixed(2)} %`]);
  process.stdout.write(`
${k}-NN accuracy on ${queryImages} test images against ${galleryImages} training images, without a single label in training:

${formatTable([['FEATURES', 'TOP-1'], ...rows])}

Trained in ${formatDuration(trainMs)} (${formatDuration(performance.now() - startedMs)} in all).
Run folder  ${folder}
Report      ${report}
Open it in VS Code with \`npm run vscode\`, or start your own with \`npx simdino train CONFIG\`.
`);
  return exitCodes.success;
}
