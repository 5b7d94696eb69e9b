import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import type { Dataset, Split } from '../../../runtime/data/dataset.ts';
import { openDataset } from '../../../runtime/data/datasets/registry.ts';
import { shardOrder } from '../../../runtime/data/datasets/shardOrder.ts';
import { createLoader, type LoaderOptions } from '../../../runtime/data/loader.ts';
import { buildDataWorker } from './builtWorker.ts';
import { tar, type Member } from './tarArchive.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const root = temporaryFolder();
const { SIMDINO_CACHE } = process.env;
process.env['SIMDINO_CACHE'] = join(root, 'cache');
afterAll(() => {
  if (SIMDINO_CACHE === undefined) delete process.env['SIMDINO_CACHE'];
  else process.env['SIMDINO_CACHE'] = SIMDINO_CACHE;
});

const windowImages = 5;
const shards = [7, 0, 9, 4];
const size = 20;
let workerScript: URL;

beforeAll(async () => {
  mkdirSync(join(root, 'shards'));
  let image = 0;
  for (const [shard, images] of shards.entries()) {
    const members: Member[] = [];
    for (let i = 0; i < images; i++, image++) {
      const background = { r: 10 * image, g: 10, b: 200 };
      const content = await sharp({ create: { width: 12, height: 12, channels: 3, background } })
        .png()
        .toBuffer();
      members.push({ name: `${image}.png`, content }, { name: `${image}.cls`, content: String(image % 2) });
    }
    // The shard without images still has a member, as a writer's last one may.
    if (images > 0) writeFileSync(join(root, 'shards', `train-${shard}.tar`), tar(members));
  }
  workerScript = await buildDataWorker();
});

const open = (path = 'shards', more: object = {}): Promise<Dataset> => {
  const kind = { kind: 'webdataset', path: join(root, path), access: 'streaming', shuffleImages: windowImages };
  return openDataset(configSchema.parse({ data: { ...kind, ...more } }).data);
};
const crops = configSchema.parse({
  data: { kind: 'synthetic' },
  crops: { global: { sizePx: 8 }, local: { sizePx: 8, count: 1 } },
}).crops;

/** Images and pixels of the next batches. */
async function batches(split: Split, count: number, more: Partial<LoaderOptions> = {}): Promise<string[]> {
  const base = { split, crops, batchSize: 4, seed: 3, workers: 0, startStep: 0, maxFaultyShare: 0.5 };
  const loader = createLoader({ ...base, workerScript, ...more });
  try {
    const taken: string[] = [];
    for (let i = 0; i < count; i++) {
      const { images_B, global } = await loader.next();
      taken.push(`${images_B.join()} ${Buffer.from(global).toString('base64')}`);
    }
    return taken;
  } finally {
    await loader.close();
  }
}
const imagesOf = (taken: string[]): number[] => taken.flatMap((batch) => batch.split(' ')[0]!.split(',').map(Number));

describe('the order', () => {
  it('is a permutation by (seed, epoch) in which no image comes more than the window before it is read', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(),
        (counts, window, seed) => {
          const ends = counts.reduce<number[]>((all, count) => [...all, (all.at(-1) ?? 0) + count], []);
          const { reading_N, using_N } = shardOrder(ends, window, { seed, epoch: 2 });
          const all = Array.from({ length: ends.at(-1)! }, (_, image) => image);
          expect([...using_N].sort((a, b) => a - b)).toEqual(all);
          expect([...reading_N].sort((a, b) => a - b)).toEqual(all);
          using_N.forEach((image, place) => expect(reading_N.indexOf(image)).toBeLessThan(place + window));
          // Every shard is read in one go, in its own order.
          const shardOf = (image: number) => ends.findIndex((end) => image < end);
          const changes = reading_N.filter((image, i) => i > 0 && shardOf(image) !== shardOf(reading_N[i - 1]!));
          expect(changes.length).toBe(Math.max(0, counts.filter((count) => count > 0).length - 1));
          expect(shardOrder(ends, window, { seed, epoch: 2 }).using_N).toEqual(using_N);
        },
      ),
    );
  });

  it('differs between epochs and seeds, and mixes shards', () => {
    const of = (seed: number, epoch: number) => shardOrder([50, 100], 20, { seed, epoch }).using_N.join();
    expect(new Set([of(0, 0), of(0, 1), of(1, 0)]).size).toBe(3);
  });
});

describe('a streamed split', () => {
  it('trains alike with worker threads and without, and after any resumption', async () => {
    const { train } = await open();
    const straight = await batches(train, 12);
    expect(await batches(train, 12, { workers: 2 })).toEqual(straight);
    for (const startStep of [1, 4, 5, 7])
      expect(await batches(train, 12 - startStep, { startStep })).toEqual(straight.slice(startStep));
    // Five batches an epoch: each image once.
    for (const epoch of [0, 1])
      expect(imagesOf(straight.slice(5 * epoch, 5 * epoch + 5)).sort((a, b) => a - b)).toEqual(
        Array.from({ length: size }, (_, image) => image),
      );
  });

  it('gives the pixels that indexed access gives', async () => {
    const indexed = await open('shards', { access: 'indexed' });
    expect(indexed.train.streamed).toBeUndefined();
    const { train } = await open();
    const stream = train.streamed!.read({ seed: 1 });
    const order = [...train.streamed!.order(1, 0)];
    const encoded = await stream.take(0, order);
    await stream.close();
    for (const [place, image] of order.entries()) {
      const { data } = await sharp(encoded[place]!).raw().toBuffer({ resolveWithObject: true });
      expect(data[0]).toBe((await indexed.train.image(image)).data[0]);
    }
  });

  it('reads every shard once an epoch, and holds no more than the window', async () => {
    const { train } = await open();
    for (const epoch of [0, 1]) {
      const reads: number[] = [];
      const stream = train.streamed!.read({ seed: 1, onRead: (bytes) => reads.push(bytes) });
      for (const image of train.streamed!.order(1, epoch)) {
        await stream.take(epoch, [image]);
        expect(stream.held().images).toBeLessThan(windowImages);
      }
      await stream.close();
      expect(reads.length).toBe(3);
    }
  });

  it('reads shards larger than a block by blocks, hardly a byte twice', async () => {
    const contents = Array.from({ length: 12 }, (_, image) => Buffer.alloc(2 ** 20 + 100 * image, image));
    mkdirSync(join(root, 'large'));
    writeFileSync(
      join(root, 'large', 'a.tar'),
      tar(contents.map((content, image) => ({ name: `${image}.png`, content }))),
    );
    const { train } = await open('large');
    const reads: number[] = [];
    const stream = train.streamed!.read({ seed: 1, onRead: (bytes) => reads.push(bytes) });
    const order = [...train.streamed!.order(1, 0)];
    const taken = await stream.take(0, order);
    await stream.close();
    for (const [place, image] of order.entries()) expect(contents[image]!.equals(taken[place]!)).toBe(true);
    // A block ends within an image, which the next one begins with.
    expect(reads.length).toBe(4);
    expect(reads.reduce((sum, bytes) => sum + bytes)).toBeLessThan(1.3 * 12 * 2 ** 20);
  });

  it('holds no more bytes than it may, and leaves the rest to be read alone', async () => {
    const { train } = await open('large');
    const maxHeldBytes = 3 * 2 ** 20;
    const stream = train.streamed!.read({ seed: 1, maxHeldBytes });
    const order = [...train.streamed!.order(1, 0)];
    const sizes: number[] = [];
    const left: number[] = [];
    for (const image of order) {
      const [encoded] = await stream.take(0, [image]);
      if (encoded === null) left.push(image);
      else expect(encoded![0]).toBe(image);
      sizes.push(stream.held().bytes);
    }
    await stream.close();
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxHeldBytes);
    // The window of five images of 1 MiB would hold four before their turn: some are left, and nothing stays behind.
    expect(Math.max(...sizes)).toBeGreaterThan(2 * 2 ** 20);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(order.length / 2);
    expect(sizes.at(-1)).toBe(0);
    // Whoever renders reads such an image by itself, so that no batch changes.
    const small = await open();
    const narrow: Split = {
      ...small.train,
      streamed: {
        ...small.train.streamed!,
        read: (start) => small.train.streamed!.read({ ...start, maxHeldBytes: 200 }),
      },
    };
    for (const workers of [0, 2]) expect(await batches(narrow, 6, { workers })).toEqual(await batches(small.train, 6));
  });

  it('is streamed with images held out too', async () => {
    const { train, validation } = await open('shards', { heldOut: 6 });
    expect([train.size, validation!.size]).toEqual([14, 6]);
    const taken = await batches(train, 3);
    expect(new Set(imagesOf(taken)).size).toBe(12);
    const straight = await batches(train, 6);
    expect(await batches(train, 2, { startStep: 4 })).toEqual(straight.slice(4));
  });

  it('replaces and counts images that do not decode, and those of a shard that has shrunk', async () => {
    mkdirSync(join(root, 'faulty'));
    const png = (red: number) =>
      sharp({ create: { width: 12, height: 12, channels: 3, background: { r: red, g: 1, b: 1 } } })
        .png()
        .toBuffer();
    const members = await Promise.all([0, 1, 2, 3, 4].map(async (i) => ({ name: `${i}.png`, content: await png(i) })));
    const path = join(root, 'faulty', 'a.tar');
    writeFileSync(path, tar([...members, { name: '5.png', content: 'BM' }, { name: '6.png' }, ...members.slice(0, 0)]));
    const { train } = await open('faulty');
    const faults: string[] = [];
    const onFaulty = (image: string, reason: string) => faults.push(`${image} ${reason}`);
    const taken = await batches(train, 1, { batchSize: 7, maxFaultyShare: 1, onFaulty });
    expect(imagesOf(taken).every((image) => image < 5)).toBe(true);
    expect(faults.sort()).toEqual([
      'a.tar:5 its content is not JPEG, PNG, WebP, GIF, TIFF or AVIF',
      'a.tar:6 the file is empty',
    ]);
    expect(await batches(train, 1, { batchSize: 7, maxFaultyShare: 1, workers: 2 })).toEqual(taken);
    truncateSync(path, 512 + 20);
    faults.length = 0;
    await expect(batches(train, 1, { batchSize: 7, maxFaultyShare: 0.1, onFaulty })).rejects.toThrow();
    expect(faults[0]).toContain('its shard has become shorter since it was indexed');
  });
});
