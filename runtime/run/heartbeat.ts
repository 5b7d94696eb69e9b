import { Worker } from 'node:worker_threads';
import { heartbeatIntervalMs } from '../../protocol/runFolder.ts';

/**
 * Advances a counter in a file from a thread of its own, which neither a training step nor a slow disk under the
 * trainer's thread can hold up. The counter, not a time: viewers compare it with their own clocks.
 *
 * A disk that refuses it for a while does not end it, nor the run: `stop` returns the first fault that there was.
 */
export function startHeartbeat(path: string): { stop(): Promise<Error | undefined> } {
  const worker = new Worker(beat, { eval: true, workerData: { path, intervalMs: heartbeatIntervalMs } });
  worker.unref();
  let failure: Error | undefined;
  worker.on('error', (error) => (failure ??= error));
  worker.on('message', (message: string) => (failure ??= new Error(message)));
  return {
    stop: async () => {
      await worker.terminate();
      return failure;
    },
  };
}

const beat = `
  const { openSync, writeSync } = require('node:fs');
  const { parentPort, workerData } = require('node:worker_threads');
  let file;
  let count = 0;
  const tick = () => {
    try {
      file ??= openSync(workerData.path, 'w');
      writeSync(file, String(++count).padStart(12, '0') + '\\n', 0);
    } catch (error) {
      parentPort.postMessage(error.message);
    }
  };
  tick();
  setInterval(tick, workerData.intervalMs);
`;
