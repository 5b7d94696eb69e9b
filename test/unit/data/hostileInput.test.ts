/**
 * Files that should not be in a data set, in every kind of data set that holds files: each is skipped and counted, or
 * decoded, and none takes more memory than an image may.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import { run } from '../../../runtime/commands/data.ts';
import { checkDataset } from '../../../runtime/data/checkDataset.ts';
import { openDataset } from '../../../runtime/data/datasets/registry.ts';
import { createLoader } from '../../../runtime/data/loader.ts';
import { pngOf } from './pngFile.ts';
import { tar } from './tarArchive.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const root = temporaryFolder();
const { SIMDINO_CACHE } = process.env;
process.env['SIMDINO_CACHE'] = join(root, 'cache');
afterAll(() => {
  if (SIMDINO_CACHE === undefined) delete process.env['SIMDINO_CACHE'];
  else process.env['SIMDINO_CACHE'] = SIMDINO_CACHE;
});

/** What decoding may take beside what the process has: far less than the 1.9 GB that 623 megapixels are. */
const mostGrowthBytes = 300 * 2 ** 20;

/** Name, content, and what is to be said of it; null where it is an image after all. */
let files: { name: string; content: Buffer; fault: RegExp | null }[] = [];

beforeAll(async () => {
  const image = (shade: number) =>
    sharp({ create: { width: 40, height: 30, channels: 3, background: { r: shade, g: 9, b: 90 } } });
  const jpeg = await image(50).jpeg().toBuffer();
  const frames = [await image(10).png().toBuffer(), await image(200).png().toBuffer()];
  files = [
    { name: '00-good.png', content: await image(120).png().toBuffer(), fault: null },
    { name: '01-truncated.jpg', content: jpeg.subarray(0, jpeg.length >> 1), fault: /./ },
    { name: '02-empty.jpg', content: Buffer.alloc(0), fault: /^the file is empty$/ },
    { name: '03-623-megapixels.png', content: hugePng(28_000, 22_250), fault: /exceeds pixel limit/ },
    { name: '04-cmyk.jpg', content: await image(60).toColourspace('cmyk').jpeg().toBuffer(), fault: null },
    { name: '05-16-bit.png', content: await image(70).toColourspace('rgb16').png().toBuffer(), fault: null },
    {
      name: '06-animated.gif',
      content: await sharp(frames, { join: { animated: true } })
        .gif()
        .toBuffer(),
      fault: null,
    },
    { name: '07-a-png.jpg', content: await image(80).png().toBuffer(), fault: null },
    { name: '08-a-text.png', content: Buffer.from('not an image'), fault: /^its content is not JPEG/ },
    {
      name: '09-a-drawing.png',
      content: Buffer.from('<svg width="9" height="9"/>'),
      fault: /^its content is not JPEG/,
    },
    { name: '10-two-bytes.jpg', content: jpeg.subarray(0, 2), fault: /^its content is not JPEG/ },
  ];
});

/** A whole PNG of so many pixels, one bit each: some ten kilobytes in a file. */
function hugePng(widthPx: number, heightPx: number): Buffer {
  const rows = Buffer.alloc((1 + Math.ceil(widthPx / 8)) * heightPx);
  return pngOf({ widthPx, heightPx, bitDepth: 1, colourType: 0 }, deflateSync(rows, { level: 1 }));
}

const write: Record<string, () => { kind: string; path: string; nameOf: (name: string) => string }> = {
  imagefolder: () => {
    const path = join(root, 'folder');
    mkdirSync(path);
    for (const { name, content } of files) writeFileSync(join(path, name), content);
    writeFileSync(join(path, 'notes.txt'), 'left out: its name is no image\u2019s');
    symlinkSync(path, join(path, 'loop'));
    symlinkSync(join(path, 'nowhere'), join(path, '99-dangling.png'));
    return { kind: 'imagefolder', path, nameOf: (name) => name };
  },
  webdataset: () => {
    const path = join(root, 'hostile.tar');
    // Names that would leave a folder are names only.
    const members = files.map(({ name, content }, i) => ({
      name: `${i % 2 === 0 ? '../../' : '/etc/'}${name}`,
      content,
    }));
    writeFileSync(path, tar(members));
    const key = (name: string) => name.slice(0, name.indexOf('.'));
    return {
      kind: 'webdataset',
      path,
      nameOf: (name) => `hostile.tar:${Number(name.slice(0, 2)) % 2 === 0 ? '../../' : '/etc/'}${key(name)}`,
    };
  },
  parquet: () => {
    const path = join(root, 'hostile.parquet');
    const columnData = [{ name: 'image', data: files.map(({ content }) => content), type: 'BYTE_ARRAY' as const }];
    writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData })));
    return { kind: 'parquet', path, nameOf: (name) => `hostile.parquet[${Number(name.slice(0, 2))}]` };
  },
};

describe.each(Object.keys(write))('%s', (kind) => {
  const set = { kind: '', path: '', nameOf: (name: string) => name };
  beforeAll(() => Object.assign(set, write[kind]!()));
  const open = () => openDataset(configSchema.parse({ data: { kind: set.kind, path: set.path } }).data);

  it('names every file that is no image, and takes no more memory than images may', async () => {
    const before = process.resourceUsage().maxRSS;
    const [report] = await checkDataset(await open());
    const grownBytes = (process.resourceUsage().maxRSS - before) * 1024;
    const expected = files.filter(({ fault }) => fault !== null);
    expect(report!.images).toBe(files.length);
    expect(report!.faults.map(({ image }) => image)).toEqual(expected.map(({ name }) => set.nameOf(name)));
    for (const [i, { reason }] of report!.faults.entries()) expect(reason).toMatch(expected[i]!.fault!);
    expect(report!.sizesPx).toEqual({ smallest: [40, 30], largest: [40, 30] });
    expect(grownBytes).toBeLessThan(mostGrowthBytes);
  });

  it('trains on what is left, counts the rest, and refuses when there is too much of it', async () => {
    const { train } = await open();
    const { crops } = configSchema.parse({
      data: { kind: 'synthetic' },
      crops: { global: { sizePx: 8 }, local: { sizePx: 8, count: 1 } },
    });
    const good = files.flatMap(({ fault }, image) => (fault === null ? [image] : []));
    const load = (maxFaultyShare: number) =>
      createLoader({ split: train, crops, batchSize: 4, seed: 1, workers: 0, startStep: 0, maxFaultyShare });
    const tolerant = load(0.9);
    for (let step = 0; step < 6; step++)
      for (const image of (await tolerant.next()).images_B) expect(good).toContain(image);
    expect(tolerant.faultyCount()).toBe(files.length - good.length);
    await tolerant.close();
    const strict = load(0.1);
    const untilRefused = async () => {
      for (let step = 0; step < 6; step++) await strict.next();
    };
    await expect(untilRefused()).rejects.toThrow(/data\.maxFaultyShare|faulty/);
    await strict.close();
  });
});

describe('the check command', () => {
  const said = async (name: string, config: string): Promise<{ code: number; text: string }> => {
    const path = join(root, `${name}.yaml`);
    writeFileSync(path, config);
    let text = '';
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((part) => {
      text += String(part);
      return true;
    });
    try {
      return { code: await run([path]), text };
    } finally {
      write.mockRestore();
    }
  };

  /** Two classes of two images each; what every kind that has labels holds. */
  const png = (shade: number) =>
    sharp({ create: { width: 9, height: 7, channels: 3, background: { r: shade, g: 1, b: 1 } } })
      .png()
      .toBuffer();
  const kinds: Record<string, (folder: string) => Promise<string>> = {
    imagefolder: async (folder) => {
      for (const [i, name] of ['a/0.png', 'a/1.png', 'b/2.png', 'b/3.png'].entries()) {
        mkdirSync(join(folder, name[0]!), { recursive: true });
        writeFileSync(join(folder, name), await png(i));
      }
      return `kind: imagefolder, path: ${folder}`;
    },
    labellist: async (folder) => {
      for (let i = 0; i < 4; i++) writeFileSync(join(folder, `${i}.png`), await png(i));
      writeFileSync(join(folder, '..', 'labels.txt'), 'a\na\nb\nb\n');
      return `kind: labellist, path: ${folder}, labels: ${join(folder, '..', 'labels.txt')}`;
    },
    webdataset: async (folder) => {
      const samples = await Promise.all(
        [0, 0, 1, 1].map(async (label, i) => [
          { name: `${i}.png`, content: await png(i) },
          { name: `${i}.cls`, content: String(label) },
        ]),
      );
      writeFileSync(join(folder, 'train.tar'), tar(samples.flat()));
      return `kind: webdataset, path: ${folder}`;
    },
    parquet: async (folder) => {
      const images = await Promise.all([0, 1, 2, 3].map(png));
      const columnData = [
        { name: 'image', data: images, type: 'BYTE_ARRAY' as const },
        { name: 'label', data: [0, 0, 1, 1], type: 'INT32' as const },
      ];
      writeFileSync(join(folder, 'train.parquet'), Buffer.from(parquetWriteBuffer({ columnData })));
      return `kind: parquet, path: ${folder}`;
    },
    idx: (folder) => {
      const header = (...numbers: number[]) => {
        const bytes = Buffer.alloc(4 * numbers.length);
        numbers.forEach((number, i) => bytes.writeUInt32BE(number, 4 * i));
        return bytes;
      };
      writeFileSync(
        join(folder, 'train-images-idx3-ubyte'),
        Buffer.concat([header(0x803, 4, 7, 9), Buffer.alloc(4 * 63)]),
      );
      writeFileSync(
        join(folder, 'train-labels-idx1-ubyte'),
        Buffer.concat([header(0x801, 4), Buffer.from([0, 0, 1, 1])]),
      );
      return Promise.resolve(`kind: idx, path: ${folder}`);
    },
    cifar: (folder) => {
      const record = (label: number) => Buffer.concat([Buffer.from([label]), Buffer.alloc(3072)]);
      writeFileSync(join(folder, 'data_batch_1.bin'), Buffer.concat([0, 0, 1, 1].map(record)));
      return Promise.resolve(`kind: cifar, path: ${folder}`);
    },
    synthetic: () => Promise.resolve('kind: synthetic, synthetic: { images: 4, classes: 2, sizePx: 9 }'),
  };

  it.each(Object.keys(kinds))('counts images, classes and faults of %s', async (kind) => {
    const folder = join(root, 'checked', kind, 'set');
    mkdirSync(folder, { recursive: true });
    const data = await kinds[kind]!(folder);
    const { code, text } = await said(
      kind,
      `data: { ${data} }\ntrain: { batchSize: 4 }\nprojector: { outputDim: 16 }\n`,
    );
    const classes = kind === 'cifar' ? 10 : 2;
    expect(text).toMatch(
      new RegExp(`^train: 4 images, ${classes} classes, 0 faulty, \\d+ x \\d+ to \\d+ x \\d+ px$`, 'm'),
    );
    const counts = [...text.matchAll(/^ {2}.+: (\d+)$/gm)]
      .map((match) => Number(match[1]))
      .filter((count) => count > 0);
    expect(counts.slice(0, 2)).toEqual([2, 2]);
    expect(code).toBe(0);
  });

  it('names faults, and fails for them', async () => {
    const folder = join(root, 'named');
    mkdirSync(folder);
    for (const { name, content } of files) writeFileSync(join(folder, name), content);
    const { code, text } = await said('faulty', `data: { kind: imagefolder, path: ${folder} }\n`);
    expect(text).toMatch(/^train: 11 images, no labels, 6 faulty, 40 x 30 to 40 x 30 px$/m);
    expect(text).toMatch(/^ {2}faulty 03-623-megapixels\.png: .*exceeds pixel limit/m);
    expect(code).toBe(3);
  });
});
