/**
 * Runs the cells of a sweep, a few at a time, each as a run of its own.
 *
 * What is to be done is derived from the run folders at every start: finished cells are kept, interrupted ones are
 * resumed, missing ones are started. So running a sweep again after any interruption does exactly what is left.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isActive } from '../../experiments/status.ts';
import { needsRun } from '../../experiments/sweepCells.ts';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import { currentProcess } from '../../experiments/store/processIdentity.ts';
import { summariseRun } from '../../experiments/store/summariseRun.ts';
import type { RunState, SweepRecord } from '../../protocol/records.ts';
import { sweepFiles, sweepsFolder } from '../../protocol/runFolder.ts';
import { watchRequests } from '../run/control.ts';
import { writeRequest } from '../run/controlRequest.ts';
import { openAttempt } from '../run/runFolder.ts';

export interface SweepOptions {
  runsFolder: string;
  /** The command that runs `simdino`: Node and the script. */
  simdino: readonly [string, string];
  onMessage: (text: string) => void;
  /** Aborting stops the running cells politely and launches no more. */
  signal: AbortSignal;
  now: () => number;
}

export interface SweepOutcome {
  finished: number;
  failed: number;
  /** Cells that are neither, because the sweep was stopped. */
  left: number;
}

type Cell = SweepRecord['cells'][number];

/** Works through a sweep until nothing is left or it is stopped. @throws runExists when another scheduler works on it */
export async function runSweep(sweep: SweepRecord, options: SweepOptions): Promise<SweepOutcome> {
  const { runsFolder, now, onMessage } = options;
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

  let stopping = options.signal.aborted;
  const running = new Set<string>();
  const stop = (by: string) => {
    if (stopping) return;
    stopping = true;
    say(`stopping: ${by}`);
    for (const runId of running) writeRequest(join(runsFolder, runId), 'stop', 'simdino sweep');
  };
  const onAbort = () => stop('signal');
  options.signal.addEventListener('abort', onAbort);
  const requests = watchRequests(folder, (request) => {
    if (request.action === 'stop') stop(request.by);
  });

  const watch = new LivenessWatch();
  const stateOf = async ({ runId }: Cell): Promise<RunState | undefined> =>
    existsSync(join(runsFolder, runId))
      ? (await summariseRun(join(runsFolder, runId), runId, watch, now())).state
      : undefined;

  try {
    attempt.event(0, { type: 'started' });
    const lane = async (cells: Iterator<Cell>): Promise<void> => {
      for (let next = cells.next(); !next.done && !stopping; next = cells.next()) {
        const cell = next.value;
        let state = await stateOf(cell);
        // Somebody else's: a cell that outlived an earlier scheduler.
        while (state !== undefined && isActive(state) && !stopping) {
          await sleep(1000);
          state = await stateOf(cell);
        }
        if (stopping || !needsRun(state)) continue;
        running.add(cell.runId);
        say(`${cell.runId}: ${state === undefined ? 'starting' : `resuming (was ${state})`} ${describeCell(cell)}`);
        const exitCode = await launchCell(cell, state === undefined ? 'train' : 'resume', sweep, folder, options);
        running.delete(cell.runId);
        say(`${cell.runId}: ${(await stateOf(cell)) ?? `never started (exit code ${exitCode}), see its launch log`}`);
      }
    };
    const cells = sweep.cells.values();
    await Promise.all(Array.from({ length: sweep.slots }, () => lane(cells)));

    const states = await Promise.all(sweep.cells.map(stateOf));
    const finished = states.filter((state) => state === 'finished').length;
    const left = stopping ? states.filter((state) => state === undefined || state === 'stopped').length : 0;
    const outcome = { finished, failed: states.length - finished - left, left };
    attempt.event(finished, { type: stopping ? 'stopped' : 'finished' });
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
  { runsFolder, simdino: [node, script] }: SweepOptions,
): Promise<number | null> {
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
  return new Promise((resolve, reject) => {
    const child = spawn(node, [script, ...args], { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    child.once('error', reject);
    child.once('exit', (code) => resolve(code));
  });
}

function describeCell({ cell, seed }: Cell): string {
  return [...Object.entries(cell), ['seed', seed]].map(([key, value]) => `${key}=${value}`).join(' ');
}
