/** The features that evaluations of one network want, taken once for all of them. */
import type { ResolvedConfig } from '../../configs/schema.ts';
import { errors } from '../../protocol/errors.ts';
import type { Dataset, Split } from '../data/dataset.ts';
import type { TrainingExecutor } from '../trainingExecutor.ts';
import type { KnnFeatures } from './evaluateKnn.ts';
import { extractFeatures, type FeatureExtractor, type FeatureRequest } from './extractFeatures.ts';
import { probedBlocks, type LinearFeatures } from './linearProbe.ts';

export type EvaluatedSplit = ResolvedConfig['eval']['split'];
export type FeatureEvaluation = 'knn' | 'linear';

/** Features of the evaluations that were asked for. */
export interface EvaluationFeatures {
  knn?: KnnFeatures;
  linear?: LinearFeatures;
}

/** Images that go through a function of pixels at a time. */
const pixelBatch = 128;

/**
 * The teacher's features. k-NN compares CLS tokens of the last block after the final norm; linear classifiers see them too. So where both are asked
 * for, each image goes through the network once.
 *
 * @throws splitMissing, labelsMissing
 */
export async function teacherFeatures(
  executor: TrainingExecutor,
  dataset: Dataset,
  config: ResolvedConfig,
  { split = config.eval.split, evaluations }: { split?: EvaluatedSplit; evaluations: readonly FeatureEvaluation[] },
): Promise<EvaluationFeatures> {
  const { knn, linear } = config.eval;
  const isLinear = evaluations.includes('linear');
  const storedBlocks = probedBlocks(config.eval, config.model.depth);
  const { width } = config.model;
  const source = {
    batchSize: executor.featureBatch,
    extract: (pixels: Uint8Array, count: number) =>
      isLinear ? executor.probeFeatures(pixels, count) : executor.features(pixels, count),
  };
  const lastBlock: Pick<FeatureRequest, 'columns'> = isLinear
    ? { columns: [(storedBlocks - 1) * width, storedBlocks * width] }
    : {};
  const take = async (from: Split, knnImages: number | undefined, linearImages: number | undefined) => {
    const requests = evaluations.map((evaluation) =>
      evaluation === 'knn' ? { images: knnImages, ...lastBlock } : { images: linearImages },
    );
    const taken = await extractFeatures(from, config, source, requests);
    return (evaluation: FeatureEvaluation) => taken[evaluations.indexOf(evaluation)]!;
  };
  const evaluated = requireSplit(dataset, split);
  const train = await take(dataset.train, knn.galleryImages, linear.trainImages);
  const test = await take(evaluated, knn.queryImages, linear.testImages);
  return {
    ...(evaluations.includes('knn') ? { knn: { gallery: train('knn'), queries: test('knn') } } : {}),
    ...(isLinear ? { linear: { train: train('linear'), test: test('linear'), storedBlocks } } : {}),
  };
}

/** Features for k-NN that are a function of the pixels alone. @throws splitMissing, labelsMissing */
export async function pixelFeatures(
  extract: FeatureExtractor,
  dataset: Dataset,
  config: Pick<ResolvedConfig, 'crops' | 'eval' | 'runtime'>,
  split: EvaluatedSplit,
): Promise<KnnFeatures> {
  const { galleryImages, queryImages } = config.eval.knn;
  const take = async (from: Split, images: number | undefined) =>
    (await extractFeatures(from, config, { extract, batchSize: pixelBatch }, [{ images }]))[0]!;
  const evaluated = requireSplit(dataset, split);
  return { gallery: await take(dataset.train, galleryImages), queries: await take(evaluated, queryImages) };
}

function requireSplit(dataset: Dataset, split: EvaluatedSplit): Split {
  const found = dataset[split];
  if (found) return found;
  const available = (['validation', 'test'] as const).filter((name) => dataset[name] !== null);
  throw errors.splitMissing(split, dataset.path, available);
}
