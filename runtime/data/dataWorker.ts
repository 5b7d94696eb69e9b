/** Entry of a data worker thread: decodes images and renders their crops into the ring's shared memory. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachSplit } from './datasets/registry.ts';
import { createJobRunner } from './ring/jobRunner.ts';
import type { WorkerReply, WorkerRequest, WorkerStart } from './ring/renderWorkers.ts';

const port = parentPort;
if (port === null) throw new Error('internal: dataWorker runs as a worker thread only');
const { split, task, batchSize, slotMemory } = workerData as WorkerStart;
const runner = createJobRunner(attachSplit(split), task, batchSize, slotMemory);
const reply = (message: WorkerReply): void => port.postMessage(message);

port.on('message', ({ id, job }: WorkerRequest) => {
  runner.run(job).then(
    (faults) => reply({ id, faults }),
    (error: unknown) => reply({ id, error: error instanceof Error ? error : new Error(String(error)) }),
  );
});
