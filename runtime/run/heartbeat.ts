import { Worker } from 'node:worker_threads';
import { heartbeatIntervalMs } from '../../protocol/runFolder.ts';

/**
 * Advances a counter in a file from a thread of its own, which neither a training step nor a slow disk under the
 * trainer's thread can hold up. The counter, not a time: viewers compare it with their own clocks.
 */
export function startHeartbeat(path: string): { stop(): Promise<void> } {
  const worker = new Worker(beat, { eval: true, workerData: { path, intervalMs: heartbeatIntervalMs } });
  worker.unref();
  let failure: Error | undefined;
  worker.on('error', (error) => (failure = error));
  return {
    stop: async () => {
      await worker.terminate();
      if (failure) throw failure;
    },
  };
}

const beat = `
  const { openSync, writeSync } = require('node:fs');
  const { workerData } = require('node:worker_threads');
  const file = openSync(workerData.path, 'w');
  let count = 0;
  const tick = () => writeSync(file, String(++count).padStart(12, '0') + '\\n', 0);
  tick();
  setInterval(tick, workerData.intervalMs);
`;
