import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import type { Dataset, Split } from '../../../runtime/data/dataset.ts';
import { attachSplit, openDataset } from '../../../runtime/data/datasets/registry.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const root = temporaryFolder();
const open = (path: string, list: string, lines?: string): Promise<Dataset> => {
  if (lines !== undefined) writeFileSync(join(root, list), lines);
  const { data } = configSchema.parse({ data: { kind: 'labellist', path, labels: list } });
  return openDataset(data, { baseFolder: root });
};
const labels = (split: Split) => Array.from({ length: split.size }, (_, index) => split.label(index));

beforeAll(async () => {
  const png = await sharp({ create: { width: 9, height: 7, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  for (const file of [
    ...['flat/val_1.png', 'flat/val_2.png', 'flat/val_3.png'],
    ...['tree/train/cat/1.png', 'tree/train/newt/2.png', 'tree/val/v1.png', 'tree/val/v2.png'],
    ...['twice/train/a.png', 'twice/val/b.png'],
  ]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), png);
  }
});

describe('a list of labels', () => {
  it('names images, by any of their names, in any order', async () => {
    const { train, classes } = await open('flat', 'named.txt', 'val_3.png  newt\nval_1.png,grey cat\nval_2\tnewt\n\n');
    expect([classes, labels(train)]).toEqual([
      ['grey cat', 'newt'],
      [0, 1, 1],
    ]);
    expect(labels(attachSplit(structuredClone(train.share())))).toEqual([0, 1, 1]);
    expect((await train.image(2)).widthPx).toBe(9);
  });

  it('or follows the order of their names', async () => {
    const { train, classes } = await open('flat', 'ordered.txt', '2\n0\n2\n');
    expect([classes, labels(train)]).toEqual([
      ['0', '1', '2'],
      [2, 0, 2],
    ]);
  });

  it('labels a flat validation folder beside a tree of training classes', async () => {
    for (const lines of ['v1.png newt\nv2.png cat\n', '1\n0\n']) {
      const { train, validation, classes } = await open('tree', 'validation.txt', lines);
      expect([classes, labels(train), labels(validation!)]).toEqual([
        ['cat', 'newt'],
        [0, 1],
        [1, 0],
      ]);
    }
    await expect(open('tree', 'unknown.txt', 'v1.png dog\nv2.png cat\n')).rejects.toThrow(
      'the label of v1.png is dog, which is none of 2 classes',
    );
  });

  it('that does not fit is refused', async () => {
    await expect(open('flat', 'short.txt', '1\n2\n')).rejects.toThrow('it has 2 labels for the 3 images at');
    await expect(open('flat', 'some.txt', 'val_1.png 1\nval_2.png 2\n')).rejects.toThrow('val_3.png has no label');
    await expect(open('flat', 'none.txt', '\n')).rejects.toThrow('it is empty');
    await expect(open('flat', 'nowhere.txt')).rejects.toThrow('there is no such file (data.labels)');
    await expect(open('twice', 'both.txt', '1\n')).rejects.toThrow('several splits are flat');
    await expect(open('tree/train', 'tree.txt', '1\n2\n')).rejects.toThrow('there is nothing to label');
    const { data } = configSchema.parse({ data: { kind: 'labellist', path: 'flat' } });
    await expect(openDataset(data, { baseFolder: root })).rejects.toThrow('there is no data.labels');
  });
});
