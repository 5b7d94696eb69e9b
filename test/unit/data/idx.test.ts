import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import { isSimdinoError } from '../../../protocol/errors.ts';
import { randomStream } from '../../../runtime/data/random.ts';
import { attachSplit, openDataset } from '../../../runtime/data/datasets/registry.ts';
import { readIdx } from '../../../runtime/data/datasets/idx.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const root = temporaryFolder();

function idx(shape: number[], data: number[] | Uint8Array, type = 8): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header[2] = type;
  header[3] = shape.length;
  shape.forEach((size, axis) => header.writeUInt32BE(size, 4 + 4 * axis));
  return Buffer.concat([header, Uint8Array.from(data)]);
}

function write(folder: string, files: Record<string, Buffer>): string {
  const path = join(root, folder);
  mkdirSync(path, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

const open = (path: string) => openDataset(configSchema.parse({ data: { kind: 'idx', path } }).data);
const pixels = Array.from({ length: 3 * 2 * 2 }, (_, i) => i);

describe('IDX', () => {
  it('reads pairs of files, gzipped or not, into memory that threads share', async () => {
    const folder = write('mnist', {
      'train-images-idx3-ubyte.gz': gzipSync(idx([3, 2, 2], pixels)),
      'train-labels-idx1-ubyte': idx([3], [1, 0, 4]),
      't10k-images-idx3-ubyte': idx([1, 2, 2], [9, 9, 9, 9]),
      't10k-labels-idx1-ubyte.gz': gzipSync(idx([1], [2])),
    });
    const { train, validation, test, classes } = await open(folder);
    expect(classes).toEqual(['0', '1', '2', '3', '4']);
    for (const split of [train, attachSplit(structuredClone(train.share()))]) {
      expect(split.size).toBe(3);
      expect([0, 1, 2].map((index) => split.label(index))).toEqual([1, 0, 4]);
      const { widthPx, heightPx, channels, data } = await split.image(1);
      expect({ widthPx, heightPx, channels, data: [...data] }).toEqual({
        widthPx: 2,
        heightPx: 2,
        channels: 1,
        data: [4, 5, 6, 7],
      });
    }
    expect(train.nameOf(2)).toBe(join(folder, 'train-images-idx3-ubyte.gz[2]'));
    // Without a validation split of its own, the test split validates.
    expect(validation).toBe(test);
    expect(test!.label(0)).toBe(2);
  });

  it('reads one file of colour images without labels', async () => {
    const folder = write('colour', {
      'my-images.idx4-ubyte': idx(
        [2, 1, 2, 3],
        Array.from({ length: 12 }, (_, i) => i),
      ),
    });
    const { train, classes } = await open(join(folder, 'my-images.idx4-ubyte'));
    expect(classes).toBe(null);
    expect(train.label(0)).toBe(null);
    expect(await train.image(1)).toMatchObject({
      widthPx: 2,
      heightPx: 1,
      channels: 3,
      data: Uint8Array.of(6, 7, 8, 9, 10, 11),
    });
  });

  it.each<[string, Buffer, RegExp]>([
    ['empty', Buffer.alloc(0), /ends within its header/],
    ['half a header', idx([3, 2, 2], []).subarray(0, 9), /ends within its header/],
    ['text', Buffer.from('hello, world, this is text'), /is not an IDX file/],
    ['floats', idx([3, 2, 2], pixels, 13), /IDX type is 13, not 8/],
    ['short', idx([4, 2, 2], pixels), /header promises 16 bytes, it holds 12/],
    ['long', idx([2, 2, 2], pixels), /longer than its header says/],
    ['absurd', idx([4294967295, 4294967295, 4294967295], []), /header promises an array of shape/],
    ['cut gzip', gzipSync(idx([3, 2, 2], pixels)).subarray(0, 20), /unexpected end of file/],
    ['bad gzip', Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(40, 7)]), /can't be read/],
    [
      'gzip bomb',
      gzipSync(Buffer.concat([idx([1, 2, 2], [1, 2, 3, 4]), Buffer.alloc(1e8)])),
      /longer than its header says/,
    ],
  ])('refuses a file that is %s', async (name, content, reason) => {
    const folder = write(`bad ${name}`, { 'train-images-idx3-ubyte': content });
    await expect(readIdx(join(folder, 'train-images-idx3-ubyte'))).rejects.toThrow(reason);
  });

  it('refuses labels that do not fit, shapes that are no images, and folders without', async () => {
    const labels = write('labels', {
      'train-images-idx3-ubyte': idx([3, 2, 2], pixels),
      'train-labels-idx1-ubyte': idx([2], [0, 1]),
    });
    await expect(open(labels)).rejects.toThrow('it has 3 images and a label array of shape [2]');
    await expect(open(write('shape', { 'train-images-idx3-ubyte': idx([12], pixels) }))).rejects.toThrow(
      'its shape is [12]',
    );
    await expect(open(write('none', {}))).rejects.toThrow(
      /No images found at .*none; expected files like train-images/,
    );
    await expect(open(write('zero', { 'train-images-idx3-ubyte': idx([0, 2, 2], []) }))).rejects.toThrow(
      /expected at least one image/,
    );
  });

  it('survives mutated files: an array that fits its shape or an error of ours', async () => {
    const random = randomStream({ seed: 3, purpose: 'synthetic' });
    const folder = write('mutated', {});
    let read = 0;
    let refused = 0;
    for (let round = 0; round < 200; round++) {
      const plain = idx([3, 2, 2], pixels);
      const file = Buffer.from(round % 2 === 0 ? plain : gzipSync(plain));
      for (let change = 0; change <= random.integer(4); change++)
        file[random.integer(file.length)] = random.integer(256);
      const path = join(folder, 'train-images-idx3-ubyte');
      writeFileSync(path, random.integer(5) === 0 ? file.subarray(0, random.integer(file.length)) : file);
      try {
        const { shape, data } = await readIdx(path);
        expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
        read++;
      } catch (error) {
        expect(isSimdinoError(error), String(error)).toBe(true);
        refused++;
      }
    }
    expect(read).toBeGreaterThan(5);
    expect(refused).toBeGreaterThan(50);
  });
});
