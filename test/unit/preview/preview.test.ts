import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import { FaultyImage, type Split } from '../../../runtime/data/dataset.ts';
import { openDataset } from '../../../runtime/data/datasets/registry.ts';
import { createLoader } from '../../../runtime/data/loader.ts';
import { contactSheet } from '../../../runtime/preview/contactSheet.ts';
import { describeView, viewName } from '../../../runtime/preview/describeView.ts';
import { imagesInOrder, previewOfFile, previewOfSplit } from '../../../runtime/preview/previewImages.ts';

const config = configSchema.parse({
  data: { kind: 'synthetic', synthetic: { images: 40 } },
  crops: { global: { sizePx: 16 }, local: { sizePx: 8, count: 3 } },
  seed: 5,
});
const { crops, seed } = config;
const folder = mkdtempSync(join(tmpdir(), 'simdino-preview-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const trainSplit = async (): Promise<Split> => (await openDataset(config.data)).train;

describe('previewed views', () => {
  it('are the bytes that the loader hands to training, image by image, in any epoch', async () => {
    const split = await trainSplit();
    const batchSize = 4;
    const options = { split, crops, batchSize, seed, workers: 0, maxFaultyShare: 0 };
    for (const [step, epoch, first] of [
      [0, 0, 0],
      [12, 1, 8],
    ] as const) {
      const loader = createLoader({ ...options, startStep: step });
      try {
        const batch = await loader.next();
        const images = imagesInOrder(split, { seed, epoch, first, count: batchSize });
        expect(images).toEqual(Array.from(batch.images_B));
        for (const [place, image] of images.entries()) {
          const { views } = await previewOfSplit(split, crops, { seed, epoch, image });
          expect(views.map((_, index) => viewName(views, index))).toEqual([
            'global 1',
            'global 2',
            'local 1',
            'local 2',
            'local 3',
          ]);
          views.forEach(({ pixels, kind, sizePx }, index) => {
            const view = kind === 'global' ? index : index - 2;
            const begin = (view * batchSize + place) * 3 * sizePx ** 2;
            expect(Buffer.compare(pixels, batch[kind].subarray(begin, begin + pixels.length))).toBe(0);
          });
        }
      } finally {
        await loader.close();
      }
    }
  });

  it('come from the next image where one is faulty, and say so', async () => {
    const split = await trainSplit();
    const image = (index: number) => (index === 3 ? Promise.reject(new FaultyImage('torn')) : split.image(index));
    const shown = await previewOfSplit({ ...split, image }, crops, { seed, epoch: 0, image: 3 });
    expect([shown.name, shown.fault]).toEqual([split.nameOf(4), `${split.nameOf(3)}: torn`]);
    const none = { ...split, image: () => Promise.reject(new FaultyImage('torn')) };
    await expect(previewOfSplit(none, crops, { seed, epoch: 0, image: 0 })).rejects.toThrow('40 of 40 images');
  });

  it('of a file are drawn with the key\u2019s numbers; what is no image is refused', async () => {
    const path = join(folder, 'one.png');
    await sharp({ create: { width: 30, height: 20, channels: 3, background: 'red' } }).toFile(path);
    const shown = await previewOfFile(path, crops, { seed, epoch: 0, image: 0 });
    expect([shown.name, shown.raw.widthPx, shown.views.length]).toEqual(['one.png', 30, 5]);
    expect(describeView(shown.views, 0)).toMatch(/^global 1: \d+ x \d+ px at \d+, \d+/);
    writeFileSync(path, 'no image');
    await expect(previewOfFile(path, crops, { seed, epoch: 0, image: 0 })).rejects.toThrow("one.png can't be read");
  });
});

describe('the sheet', () => {
  it('holds the pixels of every view, enlarged and apart', async () => {
    const split = await trainSplit();
    const image = await previewOfSplit(split, crops, { seed, epoch: 0, image: 1 });
    const sheet = await contactSheet([{ ...image, name: 'a<b>&\u0007.png' }], 'title');
    const { data, info } = await sharp(sheet).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const scale = 11;
    const at = (x: number, y: number) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)];
    const { sizePx, pixels } = image.views[0]!;
    const left = 12 + sizePx * scale + 24;
    for (const [column, row] of [
      [0, 0],
      [7, 9],
      [15, 15],
    ] as const) {
      const pixel = 3 * (row * sizePx + column);
      expect(at(left + column * scale + 5, 60 + row * scale + 5)).toEqual([...pixels.subarray(pixel, pixel + 3)]);
    }
    expect(at(left - 5, 100)).toEqual([255, 255, 255]);
  });
});
