/**
 * Training, from top to bottom.
 *
 * The process that runs this owns the run folder and nothing heavy: images are decoded by worker threads, the step is
 * computed by the executor's process. What is random is a function of (seed, step), so that a run resumed from a
 * checkpoint takes the same steps as one that was never interrupted.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { derive } from '../configs/derive.ts';
import type { ResolvedConfig } from '../configs/schema.ts';
import { currentProcess } from '../experiments/store/processIdentity.ts';
import { errors, isSimdinoError } from '../protocol/errors.ts';
import type { CheckpointRecord, ControlRequest, MetricLine } from '../protocol/records.ts';
import { runFiles } from '../protocol/runFolder.ts';
import { preemptionSignal } from './cluster/requeue.ts';
import { pruneCheckpoints, saveCheckpoint } from './checkpoint/checkpoint.ts';
import type { TrainProgress } from './commands/progress.ts';
import type { Dataset } from './data/dataset.ts';
import { createLoader } from './data/loader.ts';
import { effectiveRank } from './eval/effectiveRank.ts';
import { evaluateKnn } from './eval/evaluateKnn.ts';
import { teacherFeatures, type FeatureEvaluation } from './eval/evaluationFeatures.ts';
import { evaluateLinear } from './eval/linearProbe.ts';
import { executorHosts } from './eval/programHost.ts';
import { withTensorboard } from './interchange/liveTensorboard.ts';
import { watchRequests } from './run/control.ts';
import { partOf } from './parallel/partOf.ts';
import { patienceMs, type AskedBy } from './parallel/patience.ts';
import type { OwnShare } from './ops/sumOverRanks.ts';
import type { OpenRun } from './run/openRun.ts';
import { SMALLEST_LOSS_SCALE } from './optim/lossScale.ts';
import { createResourceMeter } from './run/resourceMeter.ts';
import { openAttempt } from './run/runFolder.ts';
import { startTrainingExecutor } from './trainingExecutor.ts';
import { buildTrainStep } from './trainStep.ts';

export interface TrainOptions {
  dataset: Dataset;
  onProgress: (progress: TrainProgress) => void;
  /** A sentence for people: an evaluation, a checkpoint, a warning. */
  onMessage: (text: string) => void;
  /** Aborting writes a checkpoint and stops, as a stop request does; the reason is the signal that asked for it. */
  signal: AbortSignal;
  /** The processes that train this run together, of which this is the first; absent: alone. */
  share?: OwnShare;
  now: () => number;
}

export interface TrainOutcome {
  ended: 'finished' | 'stopped';
  step: number;
  knnTop1: number | null;
}

/** Steps whose metrics are written to the log when the loss is no longer a number. */
const windowSteps = 10;

/**
 * Trains a run to its end, or until it is asked to stop.
 *
 * @throws lossNotFinite with the last good checkpoint kept; dataTooFaulty; executorCrashed; diskFull
 */
export async function train(run: OpenRun, options: TrainOptions): Promise<TrainOutcome> {
  const { config, record } = run;
  const { dataset, onMessage, now } = options;

  // --- Numbers that follow from the configuration
  const derived = derive(config, { trainImages: dataset.train.size });
  const { stepsPerEpoch, totalSteps } = derived;
  const trainStep = buildTrainStep(config, derived, options.share);
  const due = (everyEpochs: number, step: number) => {
    const everySteps = Math.max(1, Math.round(everyEpochs * stepsPerEpoch));
    return step % everySteps === 0 || step === totalSteps;
  };
  const firstStep = run.resume?.step ?? 0;

  // --- Engine: parameters are drawn from the seed, or come from the checkpoint
  const { share } = options;
  const executor = await startTrainingExecutor(config, {
    ...(share ? { share } : {}),
    trainImages: dataset.train.size,
    state: run.resume && run.resume.state.size > 0 ? run.resume.state : null,
  });

  // --- The attempt: from here on, whatever happens is written down
  const opened = await openAttempt(run.folder, {
    startedAt: new Date(now()).toISOString(),
    process: currentProcess(),
    engine: executor.engine,
    device: executor.device,
    resumedFrom:
      run.resume && run.resume.attempt !== null ? { attempt: run.resume.attempt, step: run.resume.step } : null,
    now,
  }).catch(async (error: unknown) => {
    await executor.close();
    throw error;
  });
  const attempt = config.runtime.tensorboard === 'live' ? withTensorboard(opened, run.folder) : opened;
  const say = (text: string) => {
    attempt.log(text);
    onMessage(text);
  };
  say(
    `${record.id}: ${config.method} on ${executor.engine} (${executor.device}; ${executor.reason}), Node ${process.version}`,
  );
  run.notes.forEach(say);

  // --- Requests: stop and checkpoint-now, from a file or a signal
  let stopping = options.signal.aborted;
  // Several processes stop after the same step: the first one that all know of it.
  let halted = stopping && !share;
  let checkpointAsked = false;
  let step = firstStep;
  const onRequest = (request: ControlRequest, askedBy: AskedBy) => {
    if (request.action === 'checkpoint') checkpointAsked = true;
    else if (request.action === 'stop') {
      stopping = true;
      if (share) void executor.interrupt(patienceMs(askedBy, config.runtime));
      else halted = true;
      attempt.event(step, { type: 'stopRequested', requestId: request.id, by: request.by });
    } else return; // meant for a scheduler
    say(`${request.action} requested by ${request.by}`);
  };
  const onAbort = () =>
    onRequest(
      { id: `signal-${process.pid}`, action: 'stop', by: 'signal', at: '' },
      options.signal.reason === preemptionSignal ? 'preemption' : 'signal',
    );
  const requests = watchRequests(run.folder, (request) => onRequest(request, 'request'));
  options.signal.addEventListener('abort', onAbort);

  // --- Data
  const loader = createLoader({
    split: dataset.train,
    crops: config.crops,
    batchSize: config.train.batchSize,
    ...(share ? { part: partOf(share, config.train.batchSize) } : {}),
    seed: config.seed,
    workers: config.runtime.dataWorkers,
    startStep: firstStep,
    maxFaultyShare: config.data.maxFaultyShare,
    onFaulty: (image, reason) => {
      attempt.event(step, { type: 'faultyImage', image, reason });
      attempt.log(`skipped ${image}: ${reason}`);
    },
  });

  // --- What is done between steps
  const latest: Record<string, number> = {};
  const recent: MetricLine[] = [];
  let knnTop1: number | null = null;
  const lineAt = (values: Record<string, number>): MetricLine => ({
    step,
    epoch: step / stepsPerEpoch,
    time: now(),
    ...values,
  });

  // Images without labels can be trained on, not classified.
  const evaluated = dataset.train.classes !== null && dataset[config.eval.split] !== null;
  const evaluate = async (evaluations: readonly FeatureEvaluation[]) => {
    const openHost = executorHosts(config);
    let startedMs = performance.now();
    const features = await teacherFeatures(executor, dataset, config, { evaluations });
    const secondsSince = () => ((performance.now() - startedMs) / 1000).toFixed(1);
    if (features.knn) {
      const { top1, galleryImages, queryImages } = await evaluateKnn(features.knn, config.eval.knn, { openHost });
      knnTop1 = top1;
      latest['knnTop1'] = top1;
      attempt.metric(lineAt({ knnTop1: top1 }));
      say(
        `step ${step}: ${config.eval.knn.k}-NN top-1 ${(100 * top1).toFixed(2)} % ` +
          `(${queryImages} ${config.eval.split} images against ${galleryImages}, ${secondsSince()} s)`,
      );
      startedMs = performance.now();
    }
    if (features.linear) {
      const { best, trainImages, testImages } = await evaluateLinear(features.linear, config.eval.linear, openHost);
      latest['linearTop1'] = best.top1;
      attempt.metric(lineAt({ linearTop1: best.top1 }));
      say(
        `step ${step}: linear top-1 ${(100 * best.top1).toFixed(2)} % ` +
          `(${testImages} ${config.eval.split} images after ${trainImages}, ${secondsSince()} s)`,
      );
    }
  };

  const checkpoints = join(run.folder, runFiles.checkpoints);
  const save = async (reason: 'interval' | 'requested' | 'stop' | 'end') => {
    const saved = saveCheckpoint(checkpoints, await executor.readState(), {
      step,
      epoch: step / stepsPerEpoch,
      createdAt: new Date(now()).toISOString(),
      metrics: finiteOnly(latest),
    });
    attempt.event(step, { type: 'checkpoint', name: saved.name, bytes: saved.bytes, reason });
    attempt.log(`checkpoint ${saved.name}, ${(saved.bytes / 2 ** 20).toFixed(1)} MiB (${reason})`);
    for (const name of pruneCheckpoints(checkpoints, config.checkpoint.keep))
      attempt.event(step, { type: 'checkpointDeleted', name });
  };

  const meter = createResourceMeter(executor);
  try {
    attempt.event(step, { type: 'started' });
    if (evaluated && step === 0) await evaluate(['knn']);

    // --- Steps
    let stepEndedMs = performance.now();
    while (step < totalSteps && !halted) {
      const batch = await loader.next();
      const dataWaitMs = performance.now() - stepEndedMs;
      const { lr, weightDecay, momentum } = trainStep.scalarsAt(step);
      const outputs = await executor.step({
        globalCrops: batch.global,
        ...(batch.local.length > 0 ? { localCrops: batch.local } : {}),
        ...trainStep.inputsAt(step),
        ...(share ? { halt: Float32Array.of(stopping ? 1 : 0) } : {}),
      });
      if (share) halted = (outputs['halted']?.[0] ?? 0) > 0;
      const { updated, ...terms } = scalars(outputs);
      step += 1;
      const endedMs = performance.now();
      const stepMs = endedMs - stepEndedMs;
      stepEndedMs = endedMs;
      const values = {
        ...terms,
        ...trainStep.constants,
        lr,
        weightDecay,
        momentum,
        imagesPerSecond: (1000 * config.train.batchSize) / stepMs,
        stepMs,
        dataWaitShare: dataWaitMs / stepMs,
        ...meter.sample(),
        ...(step % config.runtime.diagnosticsEverySteps === 0
          ? { ...effectiveRanks(outputs, config), ...ofViews(outputs) }
          : {}),
      };
      Object.assign(latest, values);
      const line = lineAt(values);
      recent.push(line);
      if (recent.length > windowSteps) recent.shift();

      // A gradient that overflowed under a large loss scale is no fault: the scale is halved, the update left out.
      const isScaled = Number.isFinite(terms.loss) && (outputs['lossScale']?.[0] ?? 0) > SMALLEST_LOSS_SCALE;
      if (updated !== 1 && !isScaled) {
        attempt.metric(line);
        attempt.log(`the last ${recent.length} steps:\n${recent.map((entry) => JSON.stringify(entry)).join('\n')}`);
        throw Number.isFinite(terms.loss)
          ? errors.lossNotFinite(step, 'norm of the gradient', terms.gradientNorm)
          : errors.lossNotFinite(step, 'loss', terms.loss);
      }
      if (step % config.runtime.logEverySteps === 0 || step === totalSteps) attempt.metric(line);

      // --- Evaluations and checkpoints
      const { knn, linear } = config.eval;
      const evaluations: FeatureEvaluation[] = [
        ...(due(knn.everyEpochs, step) ? ['knn' as const] : []),
        ...(linear.everyEpochs !== undefined && due(linear.everyEpochs, step) ? ['linear' as const] : []),
      ];
      if (evaluated && evaluations.length > 0) await evaluate(evaluations);
      if (checkpointAsked || (due(config.checkpoint.everyEpochs, step) && step < totalSteps)) {
        await save(checkpointAsked ? 'requested' : 'interval');
        checkpointAsked = false;
      }
      stepEndedMs = performance.now();
      options.onProgress({
        step,
        totalSteps,
        epoch: step / stepsPerEpoch,
        totalEpochs: config.train.epochs,
        loss: terms.loss,
        distance: terms.distance,
        codingRate: terms.codingRate,
        codingRateMax: derived.codingRateMax,
        imagesPerSecond: latest['imagesPerSecond'] ?? 0,
        knnTop1,
        etaMs: meter.smoothedStepMs(stepMs) * (totalSteps - step),
      });
    }

    // --- End
    const ended = step >= totalSteps ? 'finished' : 'stopped';
    await save(ended === 'finished' ? 'end' : 'stop');
    attempt.event(step, { type: ended });
    say(`${ended} at step ${step} of ${totalSteps}`);
    return { ended, step, knnTop1 };
  } catch (error) {
    const code = isSimdinoError(error) ? error.code : 'internal';
    try {
      // The state is that of the last step which everybody took.
      if (code === 'rankLost') await save('stop');
      attempt.event(step, { type: 'failed', code, message: (error as Error).message });
      attempt.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    } catch (unwritten) {
      // The disk may be what failed; the first error is the one to hear of.
      onMessage(`the failure could not be written down: ${(unwritten as Error).message}`);
    }
    throw error;
  } finally {
    requests.stop();
    options.signal.removeEventListener('abort', onAbort);
    await loader.close();
    await meter.close();
    await executor.close();
    await attempt.close();
  }
}

/** 1 means that all features of the batch are one direction. */
function effectiveRanks(
  { studentFeatures, teacherFeatures }: Record<string, ArrayLike<number>>,
  { train, projector }: Pick<ResolvedConfig, 'train' | 'projector'>,
): { effectiveRank: number; effectiveRankTeacher: number } {
  const of = (features: ArrayLike<number> | undefined) =>
    effectiveRank({ features: features as Float32Array, rows: train.batchSize, width: projector.outputDim });
  return { effectiveRank: of(studentFeatures), effectiveRankTeacher: of(teacherFeatures) };
}

/** Terms of single views: one that collapses alone is lost in the mean. */
function ofViews(outputs: Record<string, ArrayLike<number>>): Record<string, number> {
  const names = Object.keys(outputs).filter((name) => /^(distance|codingRate)View\d+$/.test(name));
  return Object.fromEntries(names.map((name) => [name, outputs[name]?.[0] ?? NaN]));
}

/** The outputs of a step that are logged at every step; those of one method where it has them. */
function scalars(outputs: Record<string, ArrayLike<number>>): Record<(typeof loggedOutputs)[number], number> {
  const present = [...loggedOutputs, ...methodOutputs.filter((name) => name in outputs)];
  return Object.fromEntries(present.map((name) => [name, outputs[name]?.[0] ?? NaN])) as Record<
    (typeof loggedOutputs)[number],
    number
  >;
}
const methodOutputs = [
  'lossScale',
  'patchDistance',
  'teacherEntropy',
  'viewCrossEntropy',
  'patchCrossEntropy',
  'koleo',
];
const loggedOutputs = ['loss', 'distance', 'codingRate', 'teacherStudentCosine', 'gradientNorm', 'updated'] as const;

function finiteOnly(metrics: Record<string, number>): CheckpointRecord['metrics'] {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
}
