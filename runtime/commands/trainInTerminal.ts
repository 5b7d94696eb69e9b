import { performance } from 'node:perf_hooks';
import { isSimdinoError } from '../../protocol/errors.ts';
import { isPreempted, ownJob, preemptionSignal, requeueOwnJob } from '../cluster/requeue.ts';
import { launchedRanks } from '../parallel/launchedRanks.ts';
import { requireShares } from '../parallel/partOf.ts';
import type { Dataset } from '../data/dataset.ts';
import type { OpenRun } from '../run/openRun.ts';
import { train } from '../train.ts';
import { exitCodes } from './exitCodes.ts';
import { createProgressDisplay, formatDuration } from './progress.ts';

/**
 * Trains with a progress line. The first Ctrl-C (or SIGTERM) asks for a checkpoint and ends the run; another Ctrl-C ends
 * the process at once, which loses the steps since the last checkpoint and nothing else. Another SIGTERM does nothing: a cluster sends
 * it more than once. In a job of a cluster that is told that its time is over (SIGUSR1), or whose nodes are taken for a job of higher
 * priority (SIGTERM), the checkpoint is written and the job queued again.
 */
export async function trainInTerminal(run: OpenRun, dataset: Dataset, { json }: { json: boolean }): Promise<number> {
  const stop = new AbortController();
  const share = launchedRanks();
  if (share) requireShares(run.config, share);
  const display = createProgressDisplay(process.stderr, { now: () => performance.now() });
  let terminated = false;
  let preempted = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted && signal === 'SIGINT') process.exit(130);
    if (stop.signal.aborted) return;
    display.message(`${signal}: writing a checkpoint${signal === 'SIGINT' ? '; once more to end at once' : ''}`);
    terminated = signal === 'SIGTERM';
    stop.abort(signal);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const onPreemption = () => {
    display.message(`${preemptionSignal}: writing a checkpoint, then the job is queued again`);
    preempted = true;
    stop.abort(preemptionSignal);
  };
  if (ownJob() !== undefined) process.on(preemptionSignal, onPreemption);

  const requeueIfPreempted = async () => {
    if (preempted || (terminated && (await isPreempted()))) await requeueOwnJob();
  };

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
    await requeueIfPreempted();
    return exitCodes.stopped;
  } catch (error) {
    if (!isSimdinoError(error)) throw error;
    display.end();
    process.stderr.write(`simdino: ${error.message}\n`);
    // Processes of a job are not all told at the same moment; the last whole step was written.
    if (error.code === 'rankLost') await requeueIfPreempted();
    return exitCodes.failed;
  } finally {
    display.end();
    for (const signal of signals) process.off(signal, onSignal);
    process.off(preemptionSignal, onPreemption);
  }
}
