import { FaultyImage, type RawImage, type Split } from '../dataset.ts';
import { decodeImage } from '../decode.ts';
import { createRenderer } from '../views/renderer.ts';
import { sampleViews } from '../views/sampleViews.ts';
import type { Fault, RenderJob, RenderTask } from './renderTask.ts';
import { viewSidesPx } from './renderTask.ts';
import { attachSlot } from './slot.ts';

export interface JobRunner {
  /** Renders the job's images into its slot; resolves with the images that could not be decoded. */
  run(job: RenderJob): Promise<Fault[]>;
}

/** What renders jobs, in a worker thread or in the trainer's own. Jobs run one after the other. */
export function createJobRunner(
  split: Split,
  task: RenderTask,
  batchSize: number,
  slotMemory: readonly SharedArrayBuffer[],
): JobRunner {
  const layout = { batchSize, viewSidesPx: viewSidesPx(task) };
  const slots = slotMemory.map((memory) => attachSlot(layout, memory));
  const renderer = createRenderer();
  const knownFaulty = new Set<number>();
  let last: Promise<unknown> = Promise.resolve();

  const decode = async (
    image: number,
    faults: Fault[],
    encoded: Uint8Array | null = null,
  ): Promise<RawImage | null> => {
    if (knownFaulty.has(image)) return null;
    try {
      return await (encoded === null ? split.image(image) : decodeImage(encoded));
    } catch (error) {
      if (!(error instanceof FaultyImage)) throw error;
      knownFaulty.add(image);
      faults.push({ image, reason: error.message });
      return null;
    }
  };

  /**
   * The image itself, or the next good one after it; the order of the split decides, so every worker finds the same.
   */
  const decodeOrReplace = async (
    job: RenderJob,
    index: number,
    faults: Fault[],
  ): Promise<{ used: number; raw: RawImage | null }> => {
    const image = job.images[index]!;
    const candidates = task.kind === 'views' ? split.size : 1;
    for (let offset = 0; offset < candidates; offset++) {
      const used = (image + offset) % split.size;
      const raw = await decode(used, faults, offset === 0 ? job.encoded?.[index] : null);
      if (raw !== null) return { used, raw };
    }
    return { used: -1, raw: null };
  };

  const render = (raw: RawImage, place: number, image: number, { slot, epoch }: RenderJob): void => {
    renderer.load(raw);
    const target = slots[slot]!;
    if (task.kind === 'evaluation') {
      renderer.renderEvaluation(task.resizePx, task.cropPx, target.crop(0, place));
      return;
    }
    // A replacement is drawn with the numbers of the image that it replaces, so that it is no copy of its own views.
    const views = sampleViews(raw.heightPx, raw.widthPx, task.crops, { seed: task.seed, epoch, image });
    views.forEach((view, index) => renderer.render(view, target.crop(index, place)));
  };

  const run = async (job: RenderJob): Promise<Fault[]> => {
    const faults: Fault[] = [];
    const slot = slots[job.slot]!;
    let ahead = decodeOrReplace(job, 0, faults);
    for (const [index, image] of job.images.entries()) {
      const { used, raw } = await ahead;
      // The next image is decoded on another thread while this one is rendered on this one.
      if (index + 1 < job.images.length) {
        ahead = decodeOrReplace(job, index + 1, faults);
        ahead.catch(() => {});
      }
      const place = job.first + index;
      if (raw !== null) render(raw, place, image, job);
      slot.images_B[place] = used;
      Atomics.store(slot.stamps_B, place, job.generation);
    }
    return faults;
  };

  return {
    run: (job) => {
      const result = last.then(() => run(job));
      last = result.catch(() => {});
      return result;
    },
  };
}
