import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResolvedConfig } from '../../configs/schema.ts';
import type { EvaluationLine } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import type { TensorMap } from '../checkpoint/safetensors.ts';
import type { Dataset } from '../data/dataset.ts';
import { guard, jsonLine } from '../run/appendLines.ts';
import { startTrainingExecutor, type TrainingExecutor } from '../trainingExecutor.ts';
import {
  evaluateKnn,
  requireSplit,
  type EvaluatedSplit,
  type KnnEvaluation,
  type KnnEvaluationOptions,
} from './evaluateKnn.ts';
import { extractFeatures, teacherFeatures } from './extractFeatures.ts';
import { evaluateLinear, probedBlocks, type LinearEvaluation } from './linearProbe.ts';
import { executorHosts } from './programHost.ts';

export interface EvaluatedCheckpoint {
  /** The networks; null evaluates the untrained network, as the seed draws it. */
  state: TensorMap | null;
  split: EvaluatedSplit;
}

/** k-NN accuracy of the teacher in a checkpoint. */
export async function evaluateCheckpoint(
  config: ResolvedConfig,
  dataset: Dataset,
  { state, split, ...options }: EvaluatedCheckpoint & Omit<KnnEvaluationOptions, 'openHost'>,
): Promise<KnnEvaluation> {
  return withExecutor(config, dataset, state, (executor) =>
    evaluateKnn(teacherFeatures(executor), dataset, config, split, { ...options, openHost: executorHosts(config) }),
  );
}

/** Accuracy of linear classifiers on the teacher in a checkpoint. */
export async function evaluateCheckpointLinearly(
  config: ResolvedConfig,
  dataset: Dataset,
  { state, split }: EvaluatedCheckpoint,
): Promise<LinearEvaluation> {
  return withExecutor(config, dataset, state, (executor) => linearAccuracy(executor, dataset, config, split));
}

/** Takes features once, then trains the classifiers of `eval.linear` on them. @throws splitMissing, labelsMissing */
export async function linearAccuracy(
  executor: TrainingExecutor,
  dataset: Dataset,
  config: ResolvedConfig,
  split: EvaluatedSplit = config.eval.split,
): Promise<LinearEvaluation> {
  const { linear } = config.eval;
  const tested = requireSplit(dataset, split);
  const extract = (pixels: Uint8Array, count: number) => executor.probeFeatures(pixels, count);
  const train = await extractFeatures(dataset.train, config, extract, { images: linear.trainImages });
  const test = await extractFeatures(tested, config, extract, { images: linear.testImages });
  const storedBlocks = probedBlocks(config.eval, config.model.depth);
  return evaluateLinear({ train, test, storedBlocks }, linear, executorHosts(config));
}

async function withExecutor<T>(
  config: ResolvedConfig,
  dataset: Dataset,
  state: TensorMap | null,
  use: (executor: TrainingExecutor) => Promise<T>,
): Promise<T> {
  const executor = await startTrainingExecutor(config, { trainImages: dataset.train.size, state });
  try {
    return await use(executor);
  } finally {
    await executor.close();
  }
}

/**
 * Writes an evaluation's lines into a file of its own in the run folder, named by what was evaluated and when. The file appears whole:
 * who sees the folder change need not look again.
 */
export function writeEvaluation(runFolder: string, id: string, lines: readonly EvaluationLine[]): string {
  const folder = join(runFolder, runFiles.evaluations);
  const path = join(folder, `${id}.jsonl`);
  guard(folder, () => {
    mkdirSync(folder, { recursive: true });
    const temporary = `${path}.partial-${process.pid}`;
    writeFileSync(temporary, lines.map((line) => `${jsonLine(line)}\n`).join(''));
    renameSync(temporary, path);
  });
  return path;
}
