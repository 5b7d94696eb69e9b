import { performance } from 'node:perf_hooks';
import { isSimdinoError } from '../../protocol/errors.ts';
import { ownJob, preemptionSignal, requeueOwnJob } from '../cluster/requeue.ts';
import { launchedRanks } from '../parallel/launchedRanks.ts';
import { requireShares } from '../parallel/partOf.ts';
import type { Dataset } from '../data/dataset.ts';
import type { OpenRun } from '../run/openRun.ts';
import { train } from '../train.ts';
import { exitCodes } from './exitCodes.ts';
import { createProgressDisplay, formatDuration } from './progress.ts';

/**
 * Trains with a progress line. The first Ctrl-C (or SIGTERM) asks for a checkpoint and ends the run; a second one ends
 * the process at once, which loses the steps since the last checkpoint and nothing else. In a job of a cluster, SIGUSR1 asks for a
 * checkpoint and has the job queued again.
 */
export async function trainInTerminal(run: OpenRun, dataset: Dataset, { json }: { json: boolean }): Promise<number> {
  const stop = new AbortController();
  const share = launchedRanks();
  if (share) requireShares(run.config, share);
  const display = createProgressDisplay(process.stderr, { now: () => performance.now() });
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
    display.message(`${signal}: writing a checkpoint; once more to end at once`);
    stop.abort();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  let preempted = false;
  const onPreemption = () => {
    display.message(`${preemptionSignal}: writing a checkpoint, then the job is queued again`);
    preempted = true;
    stop.abort();
  };
  if (ownJob() !== undefined) process.on(preemptionSignal, onPreemption);

  const startedMs = performance.now();
  try {
    const outcome = await train(run, {
      dataset,
      onProgress: (progress) => display.update(progress),
      onMessage: (text) => display.message(text),
      signal: stop.signal,
      ...(share ? { share } : {}),
      now: () => Date.now(),
    });
    display.end();
    const elapsedMs = performance.now() - startedMs;
    if (json)
      process.stdout.write(`${JSON.stringify({ id: run.record.id, folder: run.folder, elapsedMs, ...outcome })}\n`);
    else process.stderr.write(`${run.folder} (${formatDuration(elapsedMs)})\n`);
    if (outcome.ended === 'finished') return exitCodes.success;
    if (preempted) await requeueOwnJob();
    return exitCodes.stopped;
  } catch (error) {
    if (!isSimdinoError(error)) throw error;
    display.end();
    process.stderr.write(`simdino: ${error.message}\n`);
    return exitCodes.failed;
  } finally {
    display.end();
    for (const signal of signals) process.off(signal, onSignal);
    process.off(preemptionSignal, onPreemption);
  }
}
