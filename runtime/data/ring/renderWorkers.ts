import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Split, SplitHandle } from '../dataset.ts';
import { createJobRunner } from './jobRunner.ts';
import type { Fault, RenderJob, RenderTask } from './renderTask.ts';

/** What does jobs. `atOnce` jobs are given to it before the first is done, so that it never waits for the next. */
export interface RenderWorker {
  atOnce: number;
  run(job: RenderJob): Promise<Fault[]>;
  close(): Promise<void>;
}

/** What a worker thread is started with. */
export interface WorkerStart {
  split: SplitHandle;
  task: RenderTask;
  batchSize: number;
  slotMemory: readonly SharedArrayBuffer[];
}
export interface WorkerRequest {
  id: number;
  job: RenderJob;
}
export type WorkerReply = { id: number; faults: Fault[] } | { id: number; error: Error };

/** Renders in this thread, giving way to other work between images. */
export function renderHere(split: Split, { task, batchSize, slotMemory }: Omit<WorkerStart, 'split'>): RenderWorker {
  const considerate: Split = {
    ...split,
    image: async (index) => {
      await new Promise((resolve) => setImmediate(resolve));
      return split.image(index);
    },
  };
  const runner = createJobRunner(considerate, task, batchSize, slotMemory);
  return { atOnce: 1, run: (job) => runner.run(job), close: () => Promise.resolve() };
}

/** Renders in a thread of its own. A thread that ends unasked rejects what it was given. */
export function renderInThread(start: WorkerStart, script: URL = builtWorkerScript()): RenderWorker {
  const thread = new Worker(script, { workerData: start, execArgv: [] });
  const waiting = new Map<number, { resolve: (faults: Fault[]) => void; reject: (error: Error) => void }>();
  let nextId = 0;
  let ended: Error | null = null;
  const end = (error: Error): void => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  thread.on('message', (reply: WorkerReply) => {
    const caller = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('error' in reply) caller?.reject(reply.error);
    else caller?.resolve(reply.faults);
  });
  thread.on('error', end);
  thread.on('exit', (code) => end(new Error(`internal: a data worker thread ended with code ${code}`)));
  return {
    atOnce: 2,
    run: (job) =>
      new Promise((resolve, reject) => {
        if (ended) {
          reject(ended);
          return;
        }
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        // Encoded images change hands without a copy.
        const given = (job.encoded ?? []).flatMap((encoded) => (encoded === null ? [] : [encoded.buffer]));
        thread.postMessage({ id, job } satisfies WorkerRequest, given);
      }),
    close: async () => {
      await thread.terminate();
    },
  };
}

/** The built worker, beside this module's bundle or in dist/ when the sources run. */
function builtWorkerScript(): URL {
  const candidates = ['./dataWorker.mjs', '../../../dist/dataWorker.mjs', '../../dist/dataWorker.mjs'].map(
    (path) => new URL(path, import.meta.url),
  );
  const script = candidates.find((url) => existsSync(fileURLToPath(url)));
  if (script === undefined) throw new Error('internal: dataWorker.mjs is not built; run `npm run build`');
  return script;
}
