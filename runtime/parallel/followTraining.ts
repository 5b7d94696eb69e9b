import { derive } from '../../configs/derive.ts';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { isSimdinoError } from '../../protocol/errors.ts';
import { preemptionSignal } from '../cluster/requeue.ts';
import { exitCodes } from '../commands/exitCodes.ts';
import type { Dataset } from '../data/dataset.ts';
import { createLoader } from '../data/loader.ts';
import type { OwnShare } from '../ops/sumOverRanks.ts';
import type { OpenRun } from '../run/openRun.ts';
import { startTrainingExecutor } from '../trainingExecutor.ts';
import { buildTrainStep } from '../trainStep.ts';
import { partOf, requireShares } from './partOf.ts';
import { patienceMs } from './patience.ts';

/**
 * What the second and further processes of a run do: they take its steps with their share of each batch. The first one owns the run
 * folder and everything that is said; these end when it ends.
 */
export async function followTraining(
  config: ResolvedConfig,
  dataset: Dataset,
  { share, resume }: { share: OwnShare; resume: OpenRun['resume'] },
): Promise<number> {
  requireShares(config, share);
  const derived = derive(config, { trainImages: dataset.train.size });
  const trainStep = buildTrainStep(config, derived, share);
  let step = resume?.step ?? 0;
  const executor = await startTrainingExecutor(config, {
    trainImages: dataset.train.size,
    state: resume && resume.step > 0 ? resume.state : null,
    share,
  });
  let isStopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    isStopping = true;
    const askedBy = signal === preemptionSignal ? 'preemption' : 'signal';
    // It may have ended already; then there is nothing to give up.
    executor.interrupt(patienceMs(askedBy, config.runtime)).catch(() => undefined);
  };
  const signals = ['SIGINT', 'SIGTERM', preemptionSignal] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const loader = createLoader({
    split: dataset.train,
    crops: config.crops,
    batchSize: config.train.batchSize,
    part: partOf(share, config.train.batchSize),
    seed: config.seed,
    workers: config.runtime.dataWorkers,
    startStep: step,
    maxFaultyShare: config.data.maxFaultyShare,
  });
  try {
    for (let isOver = false; step < derived.totalSteps && !isOver; step++) {
      const batch = await loader.next();
      const outputs = await executor.step({
        globalCrops: batch.global,
        ...(batch.local.length > 0 ? { localCrops: batch.local } : {}),
        ...trainStep.inputsAt(step),
        halt: Float32Array.of(isStopping ? 1 : 0),
      });
      // A step whose loss is no number ends the run; the first process says so.
      isOver = outputs['halted']![0]! > 0 || outputs['updated']![0] !== 1;
    }
    return exitCodes.success;
  } catch (error) {
    if (!isSimdinoError(error)) throw error;
    process.stderr.write(`simdino, process ${share.rank + 1} of ${share.ranks}: ${error.message}\n`);
    return exitCodes.failed;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
    await loader.close();
    // Processes leave together, and the first one may be evaluating.
    await executor.close({ graceMs: 1000 * config.runtime.rankTimeoutSeconds });
  }
}
