/**
 * IDX, the format of the MNIST family: big-endian header (two zero bytes, type 8 for unsigned bytes, number of
 * dimensions, one 32-bit size per dimension), then the values; plain or gzipped.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { errors } from '../../../protocol/errors.ts';
import type { Dataset, MemoryHandle, Split, SplitName } from '../dataset.ts';
import { memorySplit } from './memory.ts';
import type { OpenDataset } from './registry.ts';
import { sharedBytes, sharedLabels } from './shared.ts';

/** What a byte of a file can become: gzip compresses by at most 1032. A header that promises more is a damaged one. */
const largestExpansion = 1032;

/**
 * Opens the IDX pairs of a folder (`train-images...`/`train-labels...`, `t10k-` or `test-` for the test split, `val-`
 * or `validation-` for the validation split), or one file of images as a training split.
 */
export const openIdx: OpenDataset = async (_config, path) => {
  if (path === null) throw errors.dataPathNeeded('idx', 'the folder of IDX files');
  const isFile = (await stat(path)).isFile();
  const folder = isFile ? dirname(path) : path;
  const files = await readdir(folder);
  const open = async (name: SplitName, prefixes: readonly string[]): Promise<Split | null> => {
    const images = files.find(
      (file) => prefixes.some((prefix) => file.startsWith(prefix)) && /images.*idx[34]/.test(file),
    );
    return images === undefined ? null : openIdxPair(name, folder, images, files);
  };
  const train = isFile ? await openIdxPair('train', folder, basename(path), files) : await open('train', ['train']);
  if (train === null)
    throw errors.dataEmpty(path, 'files like train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz');
  const validation = isFile ? null : await open('validation', ['val']);
  const test = isFile ? null : await open('test', ['t10k', 'test']);
  return { kind: 'idx', path, classes: train.classes, train, validation, test } satisfies Dataset;
};

/**
 * A split from a file of images and, where there is one, its file of labels (`labels` for `images`, `idx1` for `idx3`).
 */
async function openIdxPair(
  name: SplitName,
  folder: string,
  imagesFile: string,
  files: readonly string[],
): Promise<Split> {
  const stem = imagesFile
    .replace('images', 'labels')
    .replace(/idx[34]/, 'idx1')
    .replace(/\.gz$/, '');
  const labelsFile = imagesFile === stem ? undefined : files.find((file) => file === stem || file === `${stem}.gz`);
  const images = await readIdx(join(folder, imagesFile));
  const labels = labelsFile === undefined ? null : await readIdx(join(folder, labelsFile));
  return idxSplit(name, join(folder, imagesFile), images, labels, null);
}

/** A split from arrays already read. Classes are named by `classes`, else by their numbers. */
export function idxSplit(
  name: SplitName,
  path: string,
  images: IdxArray,
  labels: IdxArray | null,
  classes: readonly string[] | null,
): Split {
  const [size = 0, heightPx = 0, widthPx = 0, channels = 1] = images.shape;
  if (images.shape.length < 3 || images.shape.length > 4 || (channels !== 1 && channels !== 3))
    throw errors.dataUnreadable(path, `its shape is [${images.shape.join(', ')}], not [N, H, W] or [N, H, W, 1 or 3]`);
  if (size === 0 || heightPx === 0 || widthPx === 0) throw errors.dataEmpty(path, 'at least one image');
  if (labels !== null && (labels.shape.length !== 1 || labels.shape[0] !== size))
    throw errors.dataUnreadable(path, `it has ${size} images and a label array of shape [${labels.shape.join(', ')}]`);
  let labels_N: MemoryHandle['labels_N'] = null;
  let names = null;
  if (labels !== null) {
    labels_N = sharedLabels(size);
    labels_N.set(labels.data);
    const largest = labels.data.reduce((a, b) => Math.max(a, b), 0);
    if (classes !== null && largest >= classes.length)
      throw errors.dataUnreadable(path, `a label is ${largest}, but there are ${classes.length} classes`);
    names = classes ?? Array.from({ length: largest + 1 }, (_, c) => String(c));
  }
  return memorySplit({
    source: 'memory',
    name,
    path,
    size,
    widthPx,
    heightPx,
    channels,
    pixels_NHWC: images.data,
    labels_N,
    classes: names,
  });
}

export interface IdxArray {
  shape: number[];
  data: Uint8Array<SharedArrayBuffer>;
  /** SHA-256 of the uncompressed file, in hexadecimal. */
  sha256: string;
}

/** Reads an IDX file of unsigned bytes, gunzipping it by its content, never holding more than the header promises. */
export async function readIdx(path: string): Promise<IdxArray> {
  const hash = createHash('sha256');
  let header = Buffer.alloc(0);
  let array = null as { shape: number[]; data: Uint8Array<SharedArrayBuffer> } | null;
  let filled = 0;
  try {
    const largest = (await stat(path)).size * largestExpansion;
    for await (const chunk of uncompressed(path)) {
      hash.update(chunk);
      let rest = chunk;
      if (array === null) {
        header = Buffer.concat([header, chunk]);
        const parsed = parseHeader(path, header, largest);
        if (parsed === null) continue;
        array = { shape: parsed.shape, data: sharedBytes(parsed.bytes) };
        rest = header.subarray(parsed.headerBytes);
      }
      if (filled + rest.length > array.data.length)
        throw errors.dataUnreadable(path, 'it is longer than its header says');
      array.data.set(rest, filled);
      filled += rest.length;
    }
  } catch (error) {
    if (error instanceof Error && 'remedy' in error) throw error;
    throw errors.dataUnreadable(path, error instanceof Error ? error.message : String(error));
  }
  if (array === null) throw errors.dataUnreadable(path, 'it ends within its header');
  if (filled !== array.data.length)
    throw errors.dataUnreadable(path, `its header promises ${array.data.length} bytes, it holds ${filled}`);
  return { ...array, sha256: hash.digest('hex') };
}

/** The file's bytes, gunzipped where it begins as gzip does. */
async function* uncompressed(path: string): AsyncGenerator<Buffer> {
  const start = await firstBytes(path);
  const file = createReadStream(path, { highWaterMark: 2 ** 20 });
  if (start[0] !== 0x1f || start[1] !== 0x8b) {
    yield* file as AsyncIterable<Buffer>;
    return;
  }
  const gunzip = createGunzip({ chunkSize: 2 ** 20 });
  file.on('error', (error) => gunzip.destroy(error));
  file.pipe(gunzip);
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } finally {
    file.destroy();
  }
}

async function firstBytes(path: string): Promise<Buffer> {
  for await (const chunk of createReadStream(path, { end: 1 })) return chunk as Buffer;
  return Buffer.alloc(0);
}

function parseHeader(
  path: string,
  header: Buffer,
  largest: number,
): { shape: number[]; bytes: number; headerBytes: number } | null {
  if (header.length < 4) return null;
  const dimensions = header[3]!;
  if (header[0] !== 0 || header[1] !== 0 || dimensions === 0 || dimensions > 4)
    throw errors.dataUnreadable(path, 'it is not an IDX file');
  if (header[2] !== 8) throw errors.dataUnreadable(path, `its IDX type is ${header[2]}, not 8 (unsigned bytes)`);
  const headerBytes = 4 + 4 * dimensions;
  if (header.length < headerBytes) return null;
  const shape = Array.from({ length: dimensions }, (_, axis) => header.readUInt32BE(4 + 4 * axis));
  const bytes = shape.reduce((a, b) => a * b, 1);
  if (bytes > largest) throw errors.dataUnreadable(path, `its header promises an array of shape [${shape.join(', ')}]`);
  return { shape, bytes, headerBytes };
}
