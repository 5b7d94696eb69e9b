/**
 * Runs the cells of a sweep, a few at a time, each as a run of its own.
 *
 * What is to be done is derived from the run folders at every start: finished cells are kept, interrupted ones are
 * resumed, missing ones are started. So running a sweep again after any interruption does exactly what is left.
 *
 * Pausing launches nothing more and lets the running cells go on to their end; `continue` takes it back while they do.
 * Cancelling stops them too, each at a checkpoint.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isActive } from '../../experiments/status.ts';
import { needsRun } from '../../experiments/sweepCells.ts';
import { writeRequest } from '../../experiments/store/controlRequest.ts';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import { currentProcess } from '../../experiments/store/processIdentity.ts';
import { summariseRun } from '../../experiments/store/summariseRun.ts';
import type { RunState, SweepRecord } from '../../protocol/records.ts';
import { sweepFiles, sweepsFolder } from '../../protocol/runFolder.ts';
import { watchRequests } from '../run/control.ts';
import { deviceEnvironment, deviceOfSlot } from './deviceSlots.ts';
import { openAttempt } from '../run/runFolder.ts';

export interface SweepOptions {
  runsFolder: string;
  /** The command that runs `simdino`: Node and the script. */
  simdino: readonly [string, string];
  onMessage: (text: string) => void;
  /** The cells to run, by their runs; all of them unless told. */
  only?: ReadonlySet<string>;
  /** Aborting cancels. */
  signal: AbortSignal;
  now: () => number;
  /** How often a lane that waits looks again. */
  pollMs?: number;
}

export interface SweepOutcome {
  finished: number;
  failed: number;
  /** Cells that are neither, because the sweep was paused or cancelled. */
  left: number;
}

type Cell = SweepRecord['cells'][number];

/** Works through a sweep until nothing is left or it is stopped. @throws runExists when another scheduler works on it */
export async function runSweep(sweep: SweepRecord, options: SweepOptions): Promise<SweepOutcome> {
  const { runsFolder, now, onMessage, pollMs = 500 } = options;
  const folder = join(runsFolder, sweepsFolder, sweep.id);
  const attempt = await openAttempt(folder, {
    startedAt: new Date(now()).toISOString(),
    process: currentProcess(),
    engine: 'scheduler',
    device: `${sweep.slots} at a time`,
    resumedFrom: null,
    now,
  });
  const say = (text: string) => {
    attempt.log(text);
    onMessage(text);
  };

  let cancelled = options.signal.aborted;
  let paused = false;
  /** The cells under way; null for one that an earlier scheduler launched. */
  const running = new Map<string, ChildProcess | null>();
  const ask = (requestId: string, by: string) => attempt.event(0, { type: 'stopRequested', requestId, by });
  const cancel = (requestId: string, by: string) => {
    if (cancelled) return;
    cancelled = true;
    ask(requestId, by);
    say(`cancelled by ${by}`);
    for (const [runId, child] of running) stopCell(runId, child);
  };
  const stopCell = (runId: string, child: ChildProcess | null) => {
    // A request would be missed by a trainer that is still starting; a signal is not. Windows has no polite signal.
    if (child && process.platform !== 'win32') child.kill('SIGTERM');
    else
      writeRequest(join(runsFolder, runId), 'stop', 'simdino sweep').catch((error: unknown) =>
        say(`${runId} can't be asked to stop: ${(error as Error).message}`),
      );
  };
  const onAbort = () => cancel('signal', 'signal');
  options.signal.addEventListener('abort', onAbort);
  const requests = watchRequests(folder, ({ id, action, by }) => {
    if (action === 'stop') cancel(id, by);
    if (action === 'pause' && !paused) {
      paused = true;
      ask(id, by);
      say(`paused by ${by}; the running cells go on to their end`);
    }
    if (action === 'continue' && paused && !cancelled) {
      paused = false;
      attempt.event(0, { type: 'started' });
      say(`continued by ${by}`);
    }
  });

  const watch = new LivenessWatch();
  const stateOf = async ({ runId }: Cell): Promise<RunState | undefined> =>
    existsSync(join(runsFolder, runId))
      ? (await summariseRun(join(runsFolder, runId), runId, watch, now())).state
      : undefined;

  try {
    attempt.event(0, { type: 'started' });
    const wanted = sweep.cells.filter(({ runId }) => options.only?.has(runId) ?? true);
    const open = [...wanted];
    const lane = async (_: unknown, slot: number): Promise<void> => {
      const device = deviceOfSlot(slot, sweep.devices);
      for (;;) {
        while (paused && !cancelled && running.size > 0) await sleep(pollMs);
        if (cancelled || paused) return;
        const cell = open.shift();
        if (!cell) return;
        let state = await stateOf(cell);
        // Somebody else's: a cell that outlived an earlier scheduler.
        while (state !== undefined && isActive(state) && !cancelled) {
          running.set(cell.runId, null);
          await sleep(pollMs);
          state = await stateOf(cell);
        }
        running.delete(cell.runId);
        if (!needsRun(state)) continue;
        if (cancelled || paused) {
          open.unshift(cell);
          continue;
        }
        say(
          `${cell.runId}: ${state === undefined ? 'starting' : `resuming (was ${state})`} ${describeCell(cell)}${device === undefined ? '' : ` on device ${device}`}`,
        );
        const child = launchCell(cell, state === undefined ? 'train' : 'resume', sweep, folder, { ...options, device });
        running.set(cell.runId, child);
        const exitCode = await ended(child);
        running.delete(cell.runId);
        say(`${cell.runId}: ${(await stateOf(cell)) ?? `never started (exit code ${exitCode}), see its launch log`}`);
      }
    };
    await Promise.all(Array.from({ length: sweep.slots }).map(lane));

    const states = await Promise.all(wanted.map(stateOf));
    const finished = states.filter((state) => state === 'finished').length;
    const unfinished = states.filter((state) => state === undefined || state === 'stopped').length;
    const left = cancelled || paused ? unfinished : 0;
    const outcome = { finished, failed: states.length - finished - left, left };
    if (cancelled) attempt.event(finished, { type: 'stopped', reason: 'cancelled' });
    else if (paused && left > 0) attempt.event(finished, { type: 'stopped', reason: 'paused' });
    else attempt.event(finished, { type: 'finished' });
    say(`${outcome.finished} finished, ${outcome.failed} failed, ${outcome.left} left`);
    return outcome;
  } catch (error) {
    attempt.event(0, { type: 'failed', code: 'internal', message: (error as Error).message });
    throw error;
  } finally {
    options.signal.removeEventListener('abort', onAbort);
    requests.stop();
    await attempt.close();
  }
}

/** A process of its own, so that a cell outlives its scheduler and a cell's crash is that cell's alone. */
function launchCell(
  { runId, cell, seed }: Cell,
  action: 'train' | 'resume',
  sweep: SweepRecord,
  folder: string,
  { runsFolder, simdino: [node, script], device }: SweepOptions & { device: string | undefined },
): ChildProcess {
  const args =
    action === 'resume'
      ? ['resume', runId, '--runs-dir', runsFolder]
      : [
          ...['train', join(folder, sweepFiles.cells, `${runId}.yaml`), '--runs-dir', runsFolder, '--run-id', runId],
          ...['--sweep', JSON.stringify({ id: sweep.id, cell, seed })],
        ];
  const logs = join(folder, 'launch');
  mkdirSync(logs, { recursive: true });
  const log = openSync(join(logs, `${runId}.log`), 'a');
  const child = spawn(node, [script, ...args], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...deviceEnvironment(device) },
  });
  closeSync(log);
  return child;
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code));
  });
}

function describeCell({ cell, seed }: Cell): string {
  return [...Object.entries(cell), ['seed', seed]].map(([key, value]) => `${key}=${value}`).join(' ');
}
