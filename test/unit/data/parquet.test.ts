import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import { isSimdinoError } from '../../../protocol/errors.ts';
import { checkDataset } from '../../../runtime/data/checkDataset.ts';
import { FaultyImage, type Dataset, type Split } from '../../../runtime/data/dataset.ts';
import { maxKeptBytes, parquetRows } from '../../../runtime/data/datasets/parquetRows.ts';
import { attachSplit, openDataset } from '../../../runtime/data/datasets/registry.ts';
import { randomStream } from '../../../runtime/data/random.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const root = temporaryFolder();
const fixture = join(import.meta.dirname, 'fixtures/huggingFace.parquet');
const said: string[] = [];
const openAt = (path: string, more: object = {}): Promise<Dataset> => {
  said.length = 0;
  const { data } = configSchema.parse({ data: { kind: 'parquet', path, ...more } });
  return openDataset(data, { onProgress: (text) => said.push(text) });
};
const open = (path: string, more: object = {}): Promise<Dataset> => openAt(join(root, path), more);
const labels = (split: Split) => Array.from({ length: split.size }, (_, index) => split.label(index));
const reds = (split: Split) =>
  Promise.all(Array.from({ length: split.size }, async (_, index) => (await split.image(index)).data[0]));

function write(path: string, content: Uint8Array): string {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  return join(root, path);
}
type Columns = Parameters<typeof parquetWriteBuffer>[0]['columnData'];
const table = (columnData: Columns, rowGroupSize = 100): Buffer =>
  Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize }));

let images: Buffer[] = [];
beforeAll(async () => {
  images = await Promise.all(
    Array.from({ length: 6 }, (_, red) =>
      sharp({ create: { width: 9, height: 7, channels: 3, background: { r: 20 * red, g: 10, b: 200 } } })
        .png()
        .toBuffer(),
    ),
  );
});
const imageColumn = (count: number, name = 'image') => ({
  name,
  data: images.slice(0, count),
  type: 'BYTE_ARRAY' as const,
});

describe('what Hugging Face\u2019s library writes', () => {
  it('has its images, labels and class names, here and where the split is attached', async () => {
    const { train, validation, classes } = await openAt(fixture);
    expect([classes, validation]).toEqual([['cat', 'dog', 'newt'], null]);
    const attached = attachSplit(structuredClone(train.share()));
    for (const split of [train, attached]) {
      expect(labels(split)).toEqual([0, 1, 2, 0, 1, 2, 0]);
      expect(await reds(split)).toEqual([0, 10, 20, 30, 40, 50, 60]);
      expect(split.nameOf(4)).toBe('huggingFace.parquet[4]');
    }
  });

  it('is sorted into splits by the names of files or folders', async () => {
    const file = readFileSync(fixture);
    for (const name of ['train-00000-of-00002', 'train-00001-of-00002', 'test-00000-of-00001', 'unsupervised'])
      write(`hub/data/${name}.parquet`, file);
    const { train, validation, test } = await open('hub');
    expect([train.size, validation!.size, test!.size]).toEqual([14, 7, 7]);
    expect((await reds(train)).slice(5, 9)).toEqual([50, 60, 0, 10]);
    expect(said.join()).toContain('unsupervised.parquet belongs to no split');
    write('converted/default/train/0000.parquet', file);
    write('converted/default/validation/0000.parquet', file);
    expect((await open('converted')).validation!.size).toBe(7);
  });
});

describe('columns', () => {
  it('of plain bytes and of other names and types', async () => {
    write(
      'plain.parquet',
      table([imageColumn(3, 'picture'), { name: 'species', data: ['newt', 'cat', 'newt'], type: 'STRING' }], 2),
    );
    const { train, classes } = await open('plain.parquet', { labelColumn: 'species' });
    expect([classes, labels(train), await reds(train)]).toEqual([
      ['cat', 'newt'],
      [1, 0, 1],
      [0, 20, 40],
    ]);
    expect(labels((await open('plain.parquet')).train)).toEqual([null, null, null]);
    expect(said.join()).toContain(
      "has no column 'label', so its images have no labels; its columns are picture, species",
    );
  });

  it('that are missing are named beside those that are there', async () => {
    write('two.parquet', table([imageColumn(2, 'left'), imageColumn(2, 'right'), { name: 'y', data: [0, 1] }]));
    await expect(open('two.parquet')).rejects.toThrow(
      "it has no column 'image' (data.imageColumn); its columns are left, right, y",
    );
    await expect(open('two.parquet', { imageColumn: 'y' })).rejects.toThrow("its column 'y' holds no bytes of images");
    await expect(open('two.parquet', { imageColumn: 'left', labelColumn: 'z' })).rejects.toThrow(
      "it has no column 'z' (data.labelColumn); its columns are left, right, y",
    );
    expect(await reds((await open('two.parquet', { imageColumn: 'right', labelColumn: 'y' })).train)).toEqual([0, 20]);
  });

  it('of labels below zero, as hidden test sets have, are no labels', async () => {
    write('hidden/train.parquet', table([imageColumn(2), { name: 'label', data: [1n, 0n], type: 'INT64' }]));
    write('hidden/test.parquet', table([imageColumn(2), { name: 'label', data: [-1n, -1n], type: 'INT64' }]));
    const { train, test } = await open('hidden');
    expect([labels(train), labels(test!), test!.classes]).toEqual([[1, 0], [null, null], null]);
  });
});

describe('memory', () => {
  const cells = Array.from({ length: 70 }, (_, row) => Buffer.alloc(2 ** 20, row));
  const store = (name: string, rowGroupSize: number): string => {
    const columnData: Columns = [{ name: 'image', data: cells, type: 'BYTE_ARRAY', encoding: 'PLAIN' }];
    const options = { rowGroupSize, pageSize: 2 ** 20, codec: 'UNCOMPRESSED' as const };
    return write(name, Buffer.from(parquetWriteBuffer({ columnData, ...options })));
  };
  const order = [69, 0, 21, 34, 48, 7, 14, 28, 35, 42, 56, 63, 1, 69];

  it('holds the latest row groups up to a bound', async () => {
    const rows = parquetRows([store('small-groups.parquet', 7)], 'image');
    for (const row of order) expect((await rows.read(0, row)) as Uint8Array).toHaveLength(2 ** 20);
    expect(((await rows.read(0, 34)) as Uint8Array)[0]).toBe(34);
    expect(rows.keptBytes()).toBeLessThanOrEqual(maxKeptBytes);
    expect(rows.keptBytes()).toBeGreaterThan(maxKeptBytes / 2);
  });

  it('holds nothing of large groups with a page index, whose pages are read alone', async () => {
    const rows = parquetRows([store('large-groups.parquet', 35)], 'image');
    for (const row of order) expect(((await rows.read(0, row)) as Uint8Array)[0]).toBe(row);
    expect(rows.keptBytes()).toBe(0);
  });
});

describe('hostile files', () => {
  it('are refused with the file and the reason', async () => {
    const file = readFileSync(fixture);
    write('truncated.parquet', file.subarray(0, 3000));
    await expect(open('truncated.parquet')).rejects.toThrow(/truncated.parquet can't be read: .*footer/);
    write('empty.parquet', Buffer.alloc(0));
    await expect(open('empty.parquet')).rejects.toThrow("empty.parquet can't be read");
    // The end is whole, but the bytes that it refers to are not there.
    write('beheaded.parquet', file.subarray(600));
    await expect(open('beheaded.parquet').then(({ train }) => train.image(6))).rejects.toThrow();
    write('rowless.parquet', table([{ name: 'image', data: [], type: 'BYTE_ARRAY' }]));
    await expect(open('rowless.parquet')).rejects.toThrow('expected rows with images');
  });

  it('count images that are missing or do not decode', async () => {
    const cells = [images[1]!, null, Buffer.from('BM'), Buffer.alloc(0)];
    write('faulty.parquet', table([{ name: 'image', data: cells, type: 'BYTE_ARRAY' }]));
    const [report] = await checkDataset(await open('faulty.parquet'));
    expect(report!.faults).toEqual([
      { image: 'faulty.parquet[1]', reason: 'the row holds no image' },
      { image: 'faulty.parquet[2]', reason: 'its content is not JPEG, PNG, WebP, GIF, TIFF or AVIF' },
      { image: 'faulty.parquet[3]', reason: 'the file is empty' },
    ]);
  });

  it('with mutated bytes give images, faults or refusals, and nothing else', async () => {
    const good = readFileSync(fixture);
    const random = randomStream({ seed: 1, purpose: 'synthetic' });
    const seen = { opened: 0, refused: 0, faulty: 0 };
    for (let round = 0; round < 200; round++) {
      const mutated = Buffer.from(good);
      for (let i = 0; i < 3; i++) mutated[random.integer(mutated.length)] = random.integer(256);
      write('mutated.parquet', mutated);
      try {
        const { train } = await open('mutated.parquet');
        seen.opened++;
        for (let image = 0; image < Math.min(train.size, 8); image++) await train.image(image);
      } catch (error) {
        if (isSimdinoError(error)) seen.refused++;
        else if (error instanceof FaultyImage) seen.faulty++;
        else throw error;
      }
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
  });
});
