import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ResolvedConfig } from '../../configs/schema.ts';
import type { EvaluationLine } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import type { TensorMap } from '../checkpoint/safetensors.ts';
import type { Dataset } from '../data/dataset.ts';
import { guard, jsonLine, openLineFile } from '../run/appendLines.ts';
import { startTrainingExecutor } from '../trainingExecutor.ts';
import { evaluateKnn, type EvaluatedSplit, type KnnEvaluation } from './evaluateKnn.ts';
import { teacherFeatures } from './extractFeatures.ts';

/** k-NN accuracy of the teacher in a checkpoint; of the untrained network, as the seed draws it, without one. */
export async function evaluateCheckpoint(
  config: ResolvedConfig,
  dataset: Dataset,
  { state, split }: { state: TensorMap | null; split: EvaluatedSplit },
): Promise<KnnEvaluation> {
  const executor = await startTrainingExecutor(config, { trainImages: dataset.train.size, state });
  try {
    return await evaluateKnn(teacherFeatures(executor), dataset, config, split);
  } finally {
    await executor.close();
  }
}

/** Writes an evaluation's lines into a file of its own in the run folder, named by what was evaluated and when. */
export function writeEvaluation(runFolder: string, id: string, lines: readonly EvaluationLine[]): string {
  const folder = join(runFolder, runFiles.evaluations);
  const path = join(folder, `${id}.jsonl`);
  guard(folder, () => {
    mkdirSync(folder, { recursive: true });
    const file = openLineFile(path);
    for (const line of lines) file.append(jsonLine(line));
    file.close();
  });
  return path;
}
