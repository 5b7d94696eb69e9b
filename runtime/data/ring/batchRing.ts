/**
 * The ring of batches between whoever renders crops and whoever trains on them.
 *
 * Batch g (its *generation*) is rendered into slot g mod `depth`. A batch is cut into jobs; jobs are handed out in the
 * order of the batches, so the next batch to be delivered always comes first. `next` delivers a slot and frees the one
 * delivered before it: a full ring makes the workers wait, and no more than `depth` batches are ever in memory.
 */
import type { Split } from '../dataset.ts';
import { renderHere, renderInThread, type RenderWorker } from './renderWorkers.ts';
import { viewSidesPx, type Fault, type RenderJob, type RenderTask } from './renderTask.ts';
import { attachSlot, slotBytes, type Slot } from './slot.ts';

export interface BatchContent {
  images: readonly number[];
  epoch: number;
  /** Reads the encoded images, where whoever renders is not to read them. Called once, in the order of the batches. */
  encoded?: () => Promise<readonly (Uint8Array<ArrayBuffer> | null)[]>;
}

export interface RingOptions {
  split: Split;
  task: RenderTask;
  batchSize: number;
  /** Worker threads; 0 renders in this thread. */
  workers: number;
  /** Batches in memory: one in use, the others prefetched. */
  depth: number;
  /** What batch g holds; null past the last. */
  contentOf: (generation: number) => BatchContent | null;
  /** Takes each faulty image once; what it throws ends the ring. */
  onFault: (fault: Fault) => void;
  workerScript?: URL;
}

export interface BatchRing {
  /** The next batch, valid until the next call; null past the last. Rejects with whatever ended the ring. */
  next(): Promise<{ generation: number; slot: Slot; content: BatchContent } | null>;
  close(): Promise<void>;
}

const largestJob = 16;

interface OpenBatch {
  content: BatchContent;
  jobsLeft: number;
}

export function createBatchRing(options: RingOptions): BatchRing {
  const { task, batchSize, depth, contentOf } = options;
  const layout = { batchSize, viewSidesPx: viewSidesPx(task) };
  const slotMemory = Array.from({ length: depth }, () => new SharedArrayBuffer(slotBytes(layout)));
  const slots = slotMemory.map((memory) => attachSlot(layout, memory));
  // Generation 0 must not look finished in memory that is all zeros.
  for (const slot of slots) slot.stamps_B.fill(-1);
  const workers = startWorkers(options, slotMemory);
  const jobImages = Math.max(1, Math.min(largestJob, Math.ceil(batchSize / (4 * workers.length))));

  const jobs: RenderJob[] = [];
  const open = new Map<number, OpenBatch>();
  const busy = new Map<RenderWorker, number>(workers.map((worker) => [worker, 0]));
  const faulty = new Set<number>();
  /** Batches whose images are read here are read one after the other. */
  let reading: Promise<void> = Promise.resolve();
  let delivered = -1;
  let failure: unknown = null;
  let wake = (): void => {};

  const fail = (error: unknown): void => {
    failure ??= error;
    jobs.length = 0;
    wake();
  };

  const openBatch = (generation: number): void => {
    const content = contentOf(generation);
    if (content === null) return;
    const { images, epoch } = content;
    open.set(generation, { content, jobsLeft: Math.ceil(images.length / jobImages) });
    const enqueue = (all?: Awaited<ReturnType<NonNullable<BatchContent['encoded']>>>): void => {
      for (let first = 0; first < images.length; first += jobImages)
        jobs.push({
          slot: generation % depth,
          generation,
          first,
          images: images.slice(first, first + jobImages),
          epoch,
          ...(all && { encoded: all.slice(first, first + jobImages) }),
        });
    };
    if (content.encoded === undefined) {
      enqueue();
      return;
    }
    const read = content.encoded;
    reading = reading
      .then(async () => {
        if (failure !== null) return;
        enqueue(await read());
        handOut();
      })
      .catch(fail);
  };

  const handOut = (): void => {
    for (let load = 0; jobs.length > 0 && load < 2; load++)
      for (const worker of workers) {
        if (busy.get(worker)! !== load || load >= worker.atOnce || failure !== null) continue;
        const job = jobs.shift();
        if (job === undefined) return;
        busy.set(worker, load + 1);
        worker.run(job).then((faults) => {
          busy.set(worker, busy.get(worker)! - 1);
          finish(job, faults);
        }, fail);
      }
  };

  const finish = (job: RenderJob, faults: readonly Fault[]): void => {
    if (failure !== null) return;
    try {
      for (const fault of faults) {
        if (faulty.has(fault.image)) continue;
        faulty.add(fault.image);
        options.onFault(fault);
      }
    } catch (error) {
      fail(error);
      return;
    }
    open.get(job.generation)!.jobsLeft--;
    handOut();
    wake();
  };

  const assertWhole = (slot: Slot, generation: number, images: number): void => {
    for (let place = 0; place < images; place++) {
      const stamp = Atomics.load(slot.stamps_B, place);
      if (stamp !== generation)
        throw new Error(`internal: place ${place} of batch ${generation} carries the stamp ${stamp}`);
    }
  };

  for (let generation = 0; generation < depth; generation++) openBatch(generation);
  handOut();

  return {
    next: async () => {
      if (failure === null && delivered >= 0) {
        open.delete(delivered);
        openBatch(delivered + depth);
        handOut();
      }
      delivered++;
      const batch = open.get(delivered);
      while (failure === null && batch !== undefined && batch.jobsLeft > 0)
        await new Promise<void>((resolve) => (wake = resolve));
      if (failure !== null) throw failure as Error;
      if (batch === undefined) return null;
      const slot = slots[delivered % depth]!;
      assertWhole(slot, delivered, batch.content.images.length);
      return { generation: delivered, slot, content: batch.content };
    },
    close: async () => {
      fail(new Error('internal: the loader is closed'));
      // Whoever reads for us may close its files only once it reads no more.
      await Promise.all([reading, ...workers.map((worker) => worker.close())]);
    },
  };
}

function startWorkers(
  { split, task, batchSize, workers, workerScript }: RingOptions,
  slotMemory: readonly SharedArrayBuffer[],
): RenderWorker[] {
  if (workers === 0) return [renderHere(split, { task, batchSize, slotMemory })];
  const start = { split: split.share(), task, batchSize, slotMemory };
  return Array.from({ length: workers }, () => renderInThread(start, workerScript));
}
