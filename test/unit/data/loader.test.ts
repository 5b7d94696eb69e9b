import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import { FaultyImage, type Split } from '../../../runtime/data/dataset.ts';
import { syntheticSplit } from '../../../runtime/data/datasets/synthetic.ts';
import { createLoader, type Batch, type LoaderOptions } from '../../../runtime/data/loader.ts';
import { buildDataWorker } from './builtWorker.ts';

const { crops } = configSchema.parse({
  data: { kind: 'synthetic' },
  crops: { global: { sizePx: 20 }, local: { count: 3, sizePx: 12 } },
});
const split = syntheticSplit({ source: 'synthetic', name: 'train', size: 50, classCount: 5, sizePx: 24 });
const options: LoaderOptions = { split, crops, batchSize: 12, seed: 7, workers: 0, startStep: 0, maxFaultyShare: 0.1 };
const digest = ({ step, epoch, images_B, global, local }: Batch): string =>
  `${step} ${epoch} ${createHash('sha256').update(images_B).update(global).update(local).digest('hex')}`;

/** The digests of the next `count` batches. */
async function batches(over: Partial<LoaderOptions>, count: number): Promise<string[]> {
  const loader = createLoader({ ...options, ...over });
  try {
    const digests: string[] = [];
    for (let i = 0; i < count; i++) digests.push(digest(await loader.next()));
    return digests;
  } finally {
    await loader.close();
  }
}

let workerScript: URL;
beforeAll(async () => {
  workerScript = await buildDataWorker();
});

describe('createLoader', () => {
  it('gives the same batches whatever the number of workers', async () => {
    const here = await batches({ workers: 0 }, 10);
    expect(new Set(here).size).toBe(10);
    expect(await batches({ workers: 1, workerScript }, 10)).toEqual(here);
    expect(await batches({ workers: 3, workerScript, prefetch: 4 }, 10)).toEqual(here);
    expect(await batches({ workers: 0, prefetch: 1 }, 10)).toEqual(here);
  });

  it('gives the same batches whatever the order in which workers get done', async () => {
    // Each answer is late by a time of its own, so that later jobs overtake earlier ones.
    const late = new URL('lateWorker.mjs', workerScript);
    writeFileSync(
      late,
      `import { parentPort, threadId } from 'node:worker_threads';
      const post = parentPort.postMessage.bind(parentPort);
      parentPort.postMessage = (reply) => void setTimeout(post, (37 * threadId + 23 * reply.id) % 61, reply);
      await import('./dataWorker.mjs');`,
    );
    expect(await batches({ workers: 3, workerScript: late }, 8)).toEqual(await batches({ workers: 0 }, 8));
  });

  it('continues at any step as if it had not been interrupted', async () => {
    const whole = await batches({}, 10);
    for (const startStep of [1, 4, 7])
      expect(await batches({ startStep }, 3)).toEqual(whole.slice(startStep, startStep + 3));
    expect(await batches({ startStep: 5, workers: 2, workerScript }, 5)).toEqual(whole.slice(5));
  });

  it('visits every image at most once per epoch, in another order each epoch, and drops the incomplete batch', async () => {
    const loader = createLoader(options);
    expect(loader.stepsPerEpoch).toBe(4);
    const epochs: number[][] = [];
    for (let step = 0; step < 12; step++) {
      const batch = await loader.next();
      expect(batch.epoch).toBe(Math.floor(step / 4));
      (epochs[batch.epoch] ??= []).push(...batch.images_B);
    }
    await loader.close();
    for (const images of epochs) expect(new Set(images).size).toBe(48);
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  it('depends on the seed', async () => {
    expect(await batches({ seed: 8 }, 1)).not.toEqual(await batches({}, 1));
  });

  it('lays crops out view by view', async () => {
    const loader = createLoader(options);
    const { global, local, images_B } = await loader.next();
    expect(global.length).toBe(2 * 12 * 20 * 20 * 3);
    expect(local.length).toBe(3 * 12 * 12 * 12 * 3);
    expect(images_B.length).toBe(12);
    const copies = [global.slice(), local.slice()];
    await loader.close();
    // A loader of another batch size that happens to hold the same image at the same place of epoch 0 renders the same
    // crops there.
    const single = createLoader({ ...options, batchSize: 1 });
    const one = await single.next();
    expect(one.images_B[0]).toBe(images_B[0]);
    const crop = (crops: Uint8Array, sizePx: number, batch: number, view: number) =>
      Buffer.from(crops.subarray(view * batch * 3 * sizePx ** 2).subarray(0, 3 * sizePx ** 2));
    for (const view of [0, 1]) expect(crop(one.global, 20, 1, view).equals(crop(copies[0]!, 20, 12, view))).toBe(true);
    for (const view of [0, 1, 2])
      expect(crop(one.local, 12, 1, view).equals(crop(copies[1]!, 12, 12, view))).toBe(true);
    await single.close();
  });

  it('works without local views', async () => {
    const loader = createLoader({ ...options, crops: { ...crops, local: { ...crops.local, count: 0 } } });
    expect((await loader.next()).local.length).toBe(0);
    await loader.close();
  });

  it('prefetches, and no further than it may', async () => {
    let rendered = 0;
    const counting: Split = { ...split, image: (index) => (rendered++, split.image(index)) };
    const loader = createLoader({ ...options, split: counting, prefetch: 2 });
    await loader.next();
    // What is made ahead of the first batch: two more.
    await expect.poll(() => rendered).toBe(36);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(rendered).toBe(36);
    await loader.next();
    await expect.poll(() => rendered).toBe(48);
    await loader.close();
  });

  it('refuses a batch larger than the split', () => {
    expect(() => createLoader({ ...options, batchSize: 51 })).toThrowErrorMatchingInlineSnapshot(
      `[SimdinoError: train.batchSize is 51, but the training split at generated has 50 images. Lower train.batchSize or train on more images.]`,
    );
  });
});

describe('faulty images', () => {
  const faultyAt = (...indices: number[]): Split => ({
    ...split,
    image: (index) => (indices.includes(index) ? Promise.reject(new FaultyImage('it is damaged')) : split.image(index)),
  });

  it('are reported once, and replaced by the next good image', async () => {
    const seen: string[] = [];
    const loader = createLoader({
      ...options,
      split: faultyAt(3, 4, 49),
      onFaulty: (image, reason) => seen.push(`${image}: ${reason}`),
    });
    const clean = createLoader(options);
    for (let step = 0; step < 8; step++) {
      const batch = await loader.next();
      const reference = await clean.next();
      const expected = Array.from(reference.images_B, (image) =>
        image === 3 || image === 4 ? 5 : image === 49 ? 0 : image,
      );
      expect(Array.from(batch.images_B)).toEqual(expected);
    }
    expect(seen.sort()).toEqual([3, 4, 49].map((index) => `generated train image ${index}: it is damaged`).sort());
    expect(loader.faultyCount()).toBe(3);
    await Promise.all([loader.close(), clean.close()]);
  });

  it('get other crops than the good image that stands in for them', async () => {
    const loader = createLoader({ ...options, split: faultyAt(3), batchSize: 50 });
    const { images_B, global } = await loader.next();
    const places = Array.from(images_B.keys()).filter((place) => images_B[place] === 4);
    expect(places.length).toBe(2);
    const [first, second] = places.map((place) => Buffer.from(global.subarray(place * 1200, (place + 1) * 1200)));
    expect(first!.equals(second!)).toBe(false);
    await loader.close();
  });

  it('end the run when they are too many', async () => {
    const loader = createLoader({ ...options, split: faultyAt(1, 2, 3, 4, 5, 6) });
    const failure = await (async () => {
      for (let step = 0; step < 8; step++) await loader.next();
    })().catch((error: unknown) => error);
    expect(failure).toMatchInlineSnapshot(
      `[SimdinoError: 6 of 50 images at generated can't be decoded, more than the limit of 5. Repair the files listed in the log, or raise data.maxFaultyShare.]`,
    );
    await expect(loader.next()).rejects.toBe(failure);
    await loader.close();
  });

  it('end the run when there is no good image, whatever the limit', async () => {
    const loader = createLoader({ ...options, split: faultyAt(...split0()), maxFaultyShare: 1 });
    await expect(loader.next()).rejects.toThrow('50 of 50 images at generated');
    await loader.close();
  });

  it('do not hide faults of our own', async () => {
    const broken: Split = { ...split, image: () => Promise.reject(new Error('internal: broken')) };
    const loader = createLoader({ ...options, split: broken });
    await expect(loader.next()).rejects.toThrow('internal: broken');
    await loader.close();
  });

  const split0 = () => Array.from({ length: split.size }, (_, index) => index);
});

describe('close', () => {
  it('ends the threads and rejects whoever waits', async () => {
    const loader = createLoader({ ...options, workers: 2, workerScript });
    const waiting = (async () => {
      for (;;) await loader.next();
    })();
    const refused = expect(waiting).rejects.toThrow('the loader is closed');
    await loader.close();
    await refused;
  });

  it('a thread that dies ends the loader with its reason', async () => {
    const script = new URL('data:text/javascript,setTimeout(() => { throw new Error("out of luck") }, 20)');
    const loader = createLoader({ ...options, workers: 1, workerScript: script });
    await expect(loader.next()).rejects.toThrow('out of luck');
    await loader.close();
  });
});
