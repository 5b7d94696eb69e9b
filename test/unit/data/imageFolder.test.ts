import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import { checkDataset } from '../../../runtime/data/checkDataset.ts';
import type { Dataset, Split } from '../../../runtime/data/dataset.ts';
import { attachSplit, openDataset } from '../../../runtime/data/datasets/registry.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const root = temporaryFolder();
const open = (path: string, more: object = {}): Promise<Dataset> =>
  openDataset(configSchema.parse({ data: { kind: 'imagefolder', path: join(root, path), ...more } }).data);
const names = (split: Split): string[] => Array.from({ length: split.size }, (_, index) => split.nameOf(index));
const labels = (split: Split): (number | null)[] =>
  Array.from({ length: split.size }, (_, index) => split.label(index));

/** Writes an image of one colour. */
async function image(path: string, red: number): Promise<void> {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  await sharp({ create: { width: 9, height: 7, channels: 3, background: { r: red, g: 10, b: 200 } } }).toFile(file);
}

beforeAll(async () => {
  for (const file of [
    'b/2.png',
    'b/10.png',
    'a/x/deep.png',
    'a/1.PNG',
    'a/.hidden.png',
    'é/1.webp',
    'empty/notes.txt.png',
  ])
    await image(`tree/${file}`, file.length * 10);
  writeFileSync(join(root, 'tree/b/readme.txt'), 'no image');
  mkdirSync(join(root, 'tree/nothing'));
});

describe('a tree of class folders', () => {
  it('has a class per folder that holds images, in the order of code points, everything below it included', async () => {
    const { train, validation, test, classes } = await open('tree');
    expect(classes).toEqual(['a', 'b', 'empty', 'é']);
    expect(names(train)).toEqual(['a/1.PNG', 'a/x/deep.png', 'b/10.png', 'b/2.png', 'empty/notes.txt.png', 'é/1.webp']);
    expect(labels(train)).toEqual([0, 0, 1, 1, 2, 3]);
    expect([validation, test]).toEqual([null, null]);
  });

  it('decodes, here and where it is attached from its handle', async () => {
    const { train } = await open('tree');
    const attached = attachSplit(structuredClone(train.share()));
    expect(names(attached)).toEqual(names(train));
    expect(labels(attached)).toEqual(labels(train));
    for (const split of [train, attached]) {
      const { widthPx, heightPx, channels, data } = await split.image(2);
      expect([widthPx, heightPx, channels, ...data.subarray(0, 3)]).toEqual([9, 7, 3, 80, 10, 200]);
    }
  });

  it('is split by train/, val/ and test/ where they exist', async () => {
    for (const part of ['train/a/1.png', 'train/b/1.png', 'val/a/2.png', 'val/b/2.png', 'test/a/3.png', 'test/b/3.png'])
      await image(`parts/${part}`, 50);
    const { train, validation, test } = await open('parts');
    expect([train, validation!, test!].map(names)).toEqual([
      ['a/1.png', 'b/1.png'],
      ['a/2.png', 'b/2.png'],
      ['a/3.png', 'b/3.png'],
    ]);
  });

  it('refuses splits whose classes differ', async () => {
    for (const part of ['train/a/1.png', 'train/b/1.png', 'val/a/2.png']) await image(`differing/${part}`, 50);
    await expect(open('differing')).rejects.toThrow(
      /differing\/val can't be read: its class folders differ from those of .*train/,
    );
  });

  it('holds images out by a seeded choice, and cuts the rest', async () => {
    for (let i = 0; i < 20; i++) await image(`many/${i % 2}/${i}.png`, i);
    const { train, validation } = await open('many', { heldOut: 5, maxTrainImages: 10 });
    expect(train.size).toBe(10);
    expect(validation!.size).toBe(5);
    expect(new Set([...names(train), ...names(validation!)]).size).toBe(15);
    expect(names((await open('many', { heldOut: 5, maxTrainImages: 10 })).train)).toEqual(names(train));
    expect(labels(train)).toEqual(names(train).map((name) => Number(name[0])));
    await expect(open('many', { heldOut: 20 })).rejects.toThrow('data.heldOut is 20, but the training split');
    const attached = attachSplit(structuredClone(train.share()));
    expect(names(attached)).toEqual(names(train));
  });
});

describe('a plain folder', () => {
  it('has no labels, and takes what lies below it too', async () => {
    for (const file of ['2.png', '1.jpg', 'more/3.png']) await image(`plain/${file}`, 50);
    const { train, classes } = await open('plain');
    expect(names(train)).toEqual(['1.jpg', '2.png', 'more/3.png']);
    expect(classes).toBe(null);
    expect(labels(train)).toEqual([null, null, null]);
  });
});

describe('links', () => {
  it('are followed, loops and dangling ones end, and no folder is read twice', async () => {
    await image('links/a/1.png', 1);
    await image('elsewhere/2.png', 2);
    symlinkSync(join(root, 'elsewhere'), join(root, 'links/b'));
    symlinkSync(join(root, 'links'), join(root, 'links/a/loop'));
    symlinkSync('self', join(root, 'links/self'));
    symlinkSync(join(root, 'gone'), join(root, 'links/a/dangling.png'));
    symlinkSync(join(root, 'elsewhere/2.png'), join(root, 'links/a/2.png'));
    symlinkSync(join(root, 'elsewhere'), join(root, 'links/c'));
    const { train } = await open('links');
    expect(names(train)).toEqual(['a/1.png', 'a/2.png', 'b/2.png']);
  });
});

describe('what is no data set', () => {
  it('is refused with the path and the remedy', async () => {
    mkdirSync(join(root, 'void'));
    await expect(open('void')).rejects.toThrow(/No images found at .*void; expected JPEG, PNG/);
    await expect(open('nowhere')).rejects.toThrow(/No data set at .*nowhere/);
    await expect(open('tree/b/2.png')).rejects.toThrow(/can't be read: it is not a folder/);
    await expect(
      openDataset(configSchema.parse({ data: { kind: 'imagefolder' } }).data),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[SimdinoError: data.kind is 'imagefolder', but there is no data.path. Set data.path to a folder of images, or of class folders.]`,
    );
  });
});

it('counts what it leaves out, by reason', async () => {
  expect((await open('tree')).leftOut).toEqual([
    { reason: 'not named as JPEG, PNG, WebP, GIF, TIFF or AVIF', files: 1, first: join(root, 'tree/b/readme.txt') },
  ]);
  await image('leftOut/train/1.png', 1);
  await image('leftOut/val/1.png', 1);
  for (const name of ['train/2.bmp', 'train/3.BMP', 'val/labels.csv', 'list.txt', 'train/.hidden'])
    writeFileSync(join(root, 'leftOut', name), 'x');
  symlinkSync(join(root, 'nowhere.png'), join(root, 'leftOut/train/gone.png'));
  const { train, leftOut } = await open('leftOut', { heldOut: 0, maxTrainImages: 1 });
  expect(names(train)).toEqual(['1.png']);
  // `list.txt` stands beside the splits and is in none of them.
  expect(leftOut!.map(({ reason, files }) => [reason, files])).toEqual([
    ['not named as JPEG, PNG, WebP, GIF, TIFF or AVIF', 3],
    ['links to nothing', 1],
  ]);
});

describe('checkDataset', () => {
  it('counts images, classes, sizes and faults', async () => {
    await image('checked/a/1.png', 1);
    await image('checked/b/2.png', 2);
    await image('checked/b/3.png', 2);
    writeFileSync(join(root, 'checked/a/0.jpg'), '');
    writeFileSync(join(root, 'checked/b/9.png'), 'BM not an image');
    const progress: number[] = [];
    const reports = await checkDataset(await open('checked'), { onProgress: (done) => progress.push(done) });
    expect(reports).toEqual([
      {
        name: 'train',
        images: 5,
        perClass: [
          { name: 'a', images: 2 },
          { name: 'b', images: 3 },
        ],
        sizesPx: { smallest: [9, 7], largest: [9, 7] },
        faults: [
          { image: 'a/0.jpg', reason: 'the file is empty' },
          { image: 'b/9.png', reason: 'its content is not JPEG, PNG, WebP, GIF, TIFF or AVIF' },
        ],
      },
    ]);
    expect(progress.at(-1)).toBe(5);
  });
});
