import type { ResolvedConfig } from '../configs/schema.ts';
import type { ProgramSet } from './engines/executor/programSet.ts';
import type { TrainStep } from './trainStep.ts';

/**
 * The training step as one program, or in micro-batches where the configuration or the device wants them.
 *
 * @param reductions how often the step was too large for the device: each halves the images that go through the networks at a time
 * @returns undefined if fewer than one would be left
 */
export function trainPrograms(
  step: TrainStep,
  { train: { batchSize }, runtime }: Pick<ResolvedConfig, 'train' | 'runtime'>,
  { reductions }: { reductions: number },
): Pick<ProgramSet, 'programs' | 'scratch' | 'composed' | 'note'> | undefined {
  const after = (times: number) => divisorUpTo(batchSize, (runtime.microBatch ?? batchSize) / 2 ** times);
  const microBatch = after(reductions);
  if (reductions > 0 && microBatch === after(reductions - 1)) return undefined;
  if (microBatch === batchSize) return { programs: { train: step.program } };
  const { scratch, programs, step: train } = step.inMicroBatches(microBatch);
  return { programs, scratch, composed: { train }, note: `${microBatch} of ${batchSize} images at a time` };
}

/** The largest divisor that is not above a limit; 1 at least. */
function divisorUpTo(number: number, limit: number): number {
  for (let divisor = Math.min(number, Math.floor(limit)); divisor > 1; divisor--)
    if (number % divisor === 0) return divisor;
  return 1;
}
