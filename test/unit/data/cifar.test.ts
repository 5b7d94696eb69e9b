import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import { openDataset } from '../../../runtime/data/datasets/registry.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const root = temporaryFolder();

/** A record whose red, green and blue planes count up from 0, 100 and 200 along the first row. */
function record(...labels: number[]): Buffer {
  const planes = [0, 100, 200].map((first) =>
    Buffer.alloc(1024, first).fill(Buffer.from([first, first + 1, first + 2]), 0, 3),
  );
  return Buffer.concat([Buffer.from(labels), ...planes]);
}

function write(folder: string, files: Record<string, Buffer | string>): string {
  const path = join(root, folder);
  mkdirSync(path);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}
const open = (path: string) => openDataset(configSchema.parse({ data: { kind: 'cifar', path } }).data);

describe('CIFAR', () => {
  it('reads CIFAR-10 batches in order, planes interleaved', async () => {
    const names = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
    const path = write('ten', {
      'data_batch_1.bin': Buffer.concat([record(3), record(9)]),
      'data_batch_2.bin': record(0),
      'test_batch.bin': record(7),
      'batches.meta.txt': `${names.join('\n')}\n\n`,
    });
    const { train, test, classes } = await open(path);
    expect(classes).toEqual(names);
    expect([0, 1, 2].map((index) => train.label(index))).toEqual([3, 9, 0]);
    const { data, ...shape } = await train.image(2);
    expect(shape).toEqual({ widthPx: 32, heightPx: 32, channels: 3 });
    expect([...data.subarray(0, 12)]).toEqual([0, 100, 200, 1, 101, 201, 2, 102, 202, 0, 100, 200]);
    expect(test!.label(0)).toBe(7);
  });

  it('takes the fine labels of CIFAR-100', async () => {
    const { train, classes } = await open(write('hundred', { 'train.bin': record(4, 77), 'test.bin': record(1, 5) }));
    expect(classes).toHaveLength(100);
    expect(train.label(0)).toBe(77);
  });

  it('refuses what is damaged', async () => {
    await expect(open(write('cut', { 'data_batch_1.bin': record(1).subarray(0, 3000) }))).rejects.toThrow(
      '3000 bytes are not a whole number of 3073-byte records',
    );
    await expect(open(write('label', { 'data_batch_1.bin': record(10) }))).rejects.toThrow(
      'a label is 10, but there are 10 classes',
    );
    await expect(open(write('nothing', {}))).rejects.toThrow(/No images found at .*nothing; expected data_batch_1.bin/);
  });
});
