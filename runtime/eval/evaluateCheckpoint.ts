import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ResolvedConfig } from '../../configs/schema.ts';
import type { EvaluationLine } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import type { TensorMap } from '../checkpoint/safetensors.ts';
import type { Dataset } from '../data/dataset.ts';
import { guard, jsonLine } from '../run/appendLines.ts';
import { startTrainingExecutor } from '../trainingExecutor.ts';
import {
  teacherFeatures,
  type EvaluatedSplit,
  type EvaluationFeatures,
  type FeatureEvaluation,
} from './evaluationFeatures.ts';

/**
 * Features of the teacher in a checkpoint, for one evaluation or several.
 *
 * @param options.state the networks; null: as the seed draws them
 * @throws splitMissing, labelsMissing
 */
export async function checkpointFeatures(
  config: ResolvedConfig,
  dataset: Dataset,
  { state, ...wanted }: { state: TensorMap | null; split: EvaluatedSplit; evaluations: readonly FeatureEvaluation[] },
): Promise<EvaluationFeatures> {
  const executor = await startTrainingExecutor(config, { trainImages: dataset.train.size, state });
  try {
    return await teacherFeatures(executor, dataset, config, wanted);
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
