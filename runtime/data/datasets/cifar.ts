/** CIFAR-10 and CIFAR-100 in their binary version: records of one or two label bytes and 3 x 32 x 32 planar pixels. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errors } from '../../../protocol/errors.ts';
import type { Dataset, Split, SplitName } from '../dataset.ts';
import { memorySplit } from './memory.ts';
import type { OpenDataset } from './registry.ts';
import { sharedBytes, sharedLabels } from './shared.ts';

const sidePx = 32;
const planeBytes = sidePx * sidePx;
const imageBytes = 3 * planeBytes;

const variants = {
  cifar10: {
    train: /^data_batch_\d+\.bin$/,
    test: /^test_batch\.bin$/,
    labelBytes: 1,
    names: 'batches.meta.txt',
    classes: 10,
  },
  /** The second label byte is the fine one. */
  cifar100: { train: /^train\.bin$/, test: /^test\.bin$/, labelBytes: 2, names: 'fine_label_names.txt', classes: 100 },
} as const;
type Variant = (typeof variants)[keyof typeof variants];

/** Opens the folder of CIFAR-10's `data_batch_*.bin` or CIFAR-100's `train.bin`. */
export const openCifar: OpenDataset = async (_config, path) => {
  if (path === null) throw errors.dataPathNeeded('cifar', 'the folder that holds data_batch_1.bin or train.bin');
  if (!(await stat(path)).isDirectory()) throw errors.dataUnreadable(path, 'it is not a folder');
  const files = (await readdir(path)).sort();
  const variant = Object.values(variants).find(({ train }) => files.some((file) => train.test(file)));
  if (variant === undefined)
    throw errors.dataEmpty(path, 'data_batch_1.bin to data_batch_5.bin (CIFAR-10) or train.bin (CIFAR-100)');
  const classes = await classNames(path, files, variant);
  const open = (name: SplitName, pattern: RegExp): Promise<Split> =>
    readBatches(
      name,
      path,
      files.filter((file) => pattern.test(file)),
      variant,
      classes,
    );
  const train = await open('train', variant.train);
  const test = files.some((file) => variant.test.test(file)) ? await open('test', variant.test) : null;
  return { kind: 'cifar', path, classes, train, validation: null, test } satisfies Dataset;
};

async function classNames(path: string, files: readonly string[], variant: Variant): Promise<string[]> {
  const numbers = Array.from({ length: variant.classes }, (_, c) => String(c));
  if (!files.includes(variant.names)) return numbers;
  const names = (await readFile(join(path, variant.names), 'utf8')).split(/\r?\n/).filter((line) => line !== '');
  return names.length === variant.classes ? names : numbers;
}

async function readBatches(
  name: SplitName,
  path: string,
  files: readonly string[],
  variant: Variant,
  classes: readonly string[],
): Promise<Split> {
  const recordBytes = variant.labelBytes + imageBytes;
  const counts = [];
  for (const file of files) {
    const bytes = (await stat(join(path, file))).size;
    if (bytes === 0 || bytes % recordBytes !== 0)
      throw errors.dataUnreadable(
        join(path, file),
        `${bytes} bytes are not a whole number of ${recordBytes}-byte records`,
      );
    counts.push(bytes / recordBytes);
  }
  const size = counts.reduce((a, b) => a + b, 0);
  const pixels_NHWC = sharedBytes(size * imageBytes);
  const labels_N = sharedLabels(size);
  let image = 0;
  for (const file of files) {
    const records = await readFile(join(path, file));
    for (let at = 0; at + recordBytes <= records.length; at += recordBytes, image++) {
      const label = records[at + variant.labelBytes - 1]!;
      if (label >= variant.classes)
        throw errors.dataUnreadable(join(path, file), `a label is ${label}, but there are ${variant.classes} classes`);
      labels_N[image] = label;
      const planes = at + variant.labelBytes;
      const out = image * imageBytes;
      for (let pixel = 0; pixel < planeBytes; pixel++)
        for (let channel = 0; channel < 3; channel++)
          pixels_NHWC[out + 3 * pixel + channel] = records[planes + channel * planeBytes + pixel]!;
    }
  }
  return memorySplit({
    source: 'memory',
    name,
    path: files.length === 1 ? join(path, basename(files[0]!)) : path,
    size,
    widthPx: sidePx,
    heightPx: sidePx,
    channels: 3,
    pixels_NHWC,
    labels_N,
    classes,
  });
}
