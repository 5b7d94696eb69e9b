/**
 * Works through the queue of a runs folder: launches the first run in line whose device is free, each as a process of its own.
 *
 * All runs that train in the folder count against the limits, whoever started them. The scheduler ends when nothing waits any
 * more; whoever adds to the queue starts another. An entry that was taken by a scheduler that died before the run folder was there
 * is launched again: the run's name lets only one start make the folder.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { asProcessIdentity } from '../../experiments/store/checkRecords.ts';
import { isSameProcessAlive } from '../../experiments/store/liveness.ts';
import { currentProcess } from '../../experiments/store/processIdentity.ts';
import { limitOf, takeQueued, type QueuedRun } from '../../experiments/store/queue.ts';
import { RunCollection } from '../../experiments/store/runCollection.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import type { QueueEntryRecord } from '../../protocol/records.ts';
import { launchFolder, queueFiles, queueFolder, runFiles } from '../../protocol/runFolder.ts';
import { watchRequests } from '../run/control.ts';
import { openAttempt } from '../run/runFolder.ts';

export interface QueueOptions {
  runsFolder: string;
  /** The command that runs `simdino`: Node and the script. */
  simdino: readonly [string, string];
  onMessage: (text: string) => void;
  /** Aborting pauses: what was launched goes on. */
  signal: AbortSignal;
  now: () => number;
  pollMs?: number;
}

/** An entry that was taken by nobody in particular for longer was not cancelled after all. */
const cancellingForMs = 5000;

/** Launches until nothing waits any more, or it is paused. @throws runExists when another scheduler works on the queue */
export async function workQueue(options: QueueOptions): Promise<'done' | 'paused'> {
  for (;;) {
    const outcome = await workOnce(options);
    // A run that was added while this scheduler said that it was done found it alive and started no other.
    const collection = new RunCollection(options.runsFolder);
    await collection.look({ monotonicMs: performance.now(), nowMs: options.now() });
    if (outcome === 'paused' || collection.queue.runs.every(({ state }) => state === 'failed')) return outcome;
  }
}

async function workOnce(options: QueueOptions): Promise<'done' | 'paused'> {
  const { runsFolder, onMessage, signal, now, pollMs = 1000 } = options;
  const folder = join(runsFolder, queueFolder, queueFiles.scheduler);
  mkdirSync(join(folder, 'attempts'), { recursive: true });
  const attempt = await openAttempt(folder, {
    startedAt: new Date(now()).toISOString(),
    process: currentProcess(),
    engine: 'scheduler',
    device: '',
    resumedFrom: null,
    now,
  });
  const say = (text: string) => {
    attempt.log(text);
    onMessage(text);
  };
  let paused = signal.aborted;
  const requests = watchRequests(folder, ({ id, action, by }) => {
    if (action !== 'pause' && action !== 'stop') return;
    paused = true;
    attempt.event(0, { type: 'stopRequested', requestId: id, by });
    say(`paused by ${by}; what was launched goes on`);
  });
  const onAbort = () => (paused = true);
  signal.addEventListener('abort', onAbort);

  const collection = new RunCollection(runsFolder);
  /** Runs that this scheduler has launched: they take their device until their process ends. */
  const launched = new Map<string, Launched>();
  const takenSinceMs = new Map<string, number>();
  /** Whether whoever took an entry is gone. One that names nobody is being cancelled, which takes no time. */
  const isAbandoned = ({ runId, folder: entryFolder }: QueuedRun): boolean => {
    const taker = readTaker(entryFolder);
    if (taker) return taker.hostname === hostname() && !isSameProcessAlive(taker);
    if (!takenSinceMs.has(runId)) takenSinceMs.set(runId, performance.now());
    return performance.now() - (takenSinceMs.get(runId) ?? 0) > cancellingForMs;
  };
  const start = (entry: QueuedRun, record: QueueEntryRecord): void => {
    launched.set(entry.runId, launch(entry, record, options));
  };
  try {
    attempt.event(0, { type: 'started' });
    for (;;) {
      await collection.look({ monotonicMs: performance.now(), nowMs: now() });
      const { queue } = collection;
      // As this look has seen it, so that a run is either still in the queue or among the runs.
      const isThere = ({ runId }: QueuedRun) => collection.runs.get(runId)?.record != null;
      for (const entry of queue.runs) if (isThere(entry)) rmSync(entry.folder, { recursive: true, force: true });
      const open = queue.runs.filter((entry) => entry.state !== 'failed' && !isThere(entry));
      if (paused || open.length === 0) break;

      const busy = busyDevices(collection.activeRuns, launched, open);
      for (const entry of open.filter(({ state }) => state === 'waiting')) {
        const device = entry.record?.device ?? 'cpu';
        if ((busy.get(device) ?? 0) >= limitOf(queue, device) || !entry.record) continue;
        if (!(await takeQueued(entry.folder))) continue; // cancelled at this moment
        busy.set(device, (busy.get(device) ?? 0) + 1);
        start(entry, entry.record);
        say(`${entry.runId}: launched on ${device}`);
      }
      for (const entry of open.filter(({ runId, state }) => state === 'taken' && !launched.has(runId))) {
        if (!entry.record || !isAbandoned(entry)) continue;
        say(`${entry.runId}: taken by a scheduler that is gone; launching it again`);
        start(entry, entry.record);
      }
      await sleep(pollMs);
    }
    attempt.event(launched.size, paused ? { type: 'stopped', reason: 'paused' } : { type: 'finished' });
    return paused ? 'paused' : 'done';
  } catch (error) {
    attempt.event(launched.size, { type: 'failed', code: 'internal', message: (error as Error).message });
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    requests.stop();
    await attempt.close();
  }
}

interface Launched {
  device: string;
  ended: boolean;
}

/** How many runs take each device: those that train, whoever started them, and those that are being started. */
function busyDevices(
  active: readonly RunOverview[],
  launched: ReadonlyMap<string, Launched>,
  entries: readonly QueuedRun[],
): Map<string, number> {
  const devices = new Map<string, string>();
  for (const { id, lastAttempt } of active)
    devices.set(id, launched.get(id)?.device ?? deviceOfAttempt(lastAttempt?.device));
  for (const [id, { device, ended }] of launched) if (!ended) devices.set(id, device);
  for (const { runId, state, record } of entries) if (state === 'taken') devices.set(runId, record?.device ?? 'cpu');
  const busy = new Map<string, number>();
  for (const device of devices.values()) busy.set(device, (busy.get(device) ?? 0) + 1);
  return busy;
}

/** `CPU, 8 threads` -> `cpu`; anything else that an engine names is a GPU. */
function deviceOfAttempt(device: string | undefined): string {
  return device === undefined || /cpu/i.test(device) ? 'cpu' : 'gpu';
}

function readTaker(folder: string) {
  const path = join(folder, queueFiles.taken, queueFiles.taker);
  return existsSync(path) ? asProcessIdentity(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
}

function launch({ runId, folder }: QueuedRun, record: QueueEntryRecord, options: QueueOptions): Launched {
  const { runsFolder, now } = options;
  const [node, script] = options.simdino;
  writeFileSync(join(folder, queueFiles.taken, queueFiles.taker), JSON.stringify(currentProcess()));
  const logs = join(runsFolder, launchFolder);
  mkdirSync(logs, { recursive: true });
  const log = openSync(join(logs, `${runId}.log`), 'a');
  const args = [
    ...['train', join(folder, queueFiles.config), '--runs-dir', runsFolder, '--run-id', runId],
    ...['--source', record.configSource],
    ...(record.parent ? ['--parent', `${record.parent.id}:${record.parent.step}`] : []),
  ];
  const child = spawn(node, [script, ...args], {
    detached: true,
    stdio: ['ignore', log, log],
    ...(existsSync(record.workingFolder) ? { cwd: record.workingFolder } : {}),
  });
  closeSync(log);
  const launched = { device: record.device, ended: false };
  const end = (why: string) => {
    launched.ended = true;
    if (existsSync(join(runsFolder, runId, runFiles.record)) || !existsSync(folder)) return;
    writeFileSync(join(folder, queueFiles.taken, queueFiles.failure), JSON.stringify({ why, at: new Date(now()) }));
  };
  child.once('error', (error) => end(error.message));
  child.once('exit', (code, signal) => end(`ended with ${code ?? signal}`));
  child.unref();
  return launched;
}
