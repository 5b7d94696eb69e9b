/**
 * A flat folder of images and a text file of their labels, as ImageNet's validation images come.
 *
 * The folder is opened like a tree of class folders; the list labels those splits that are flat, so that `train/` can be
 * a tree beside a flat `val/`. Each line of the list is an image's name and its label, or a label alone for the image at
 * that place in the order of names.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { errors } from '../../../protocol/errors.ts';
import type { Dataset, Split } from '../dataset.ts';
import { filesSplit } from './files.ts';
import { openImageFolder } from './imageFolder.ts';
import { classify, type LabelValue } from './labelValues.ts';
import type { OpenContext, OpenDataset } from './registry.ts';

const maxListBytes = 2 ** 28;

export const openLabelList: OpenDataset = async (config, path, context) => {
  if (path === null) throw errors.dataPathNeeded('labellist', 'a folder of images');
  if (config.labels === undefined) throw errors.labelListNeeded();
  const list = await readList(config.labels, context);
  const whole = await openImageFolder(config, path, context);
  const flat = [whole.train, whole.validation, whole.test].filter((split) => split?.classes === null) as Split[];
  if (flat.length === 0)
    throw errors.dataUnreadable(path, 'its images lie in class folders, so there is nothing to label');
  const classed = classify(
    flat.map((split) => {
      const nameOf = (image: number): string => split.nameOf(image);
      return { path: list.path, labels: labelsOf(split, list, flat.length), nameOf };
    }),
    whole.train.classes,
  );
  const relabelled = (split: Split | null): Split | null => {
    const handle = split?.share();
    if (split === null || handle?.source !== 'files' || !flat.includes(split)) return split;
    return filesSplit({ ...handle, ...classed[flat.indexOf(split)]! });
  };
  const train = relabelled(whole.train)!;
  return {
    ...whole,
    kind: 'labellist',
    classes: train.classes,
    train,
    validation: relabelled(whole.validation),
    test: relabelled(whole.test),
  } satisfies Dataset;
};

interface LabelLines {
  path: string;
  lines: string[];
}

async function readList(labels: string, { baseFolder = '.' }: OpenContext): Promise<LabelLines> {
  const path = resolve(baseFolder, labels);
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) throw errors.dataUnreadable(path, 'there is no such file (data.labels)');
  if (found.size > maxListBytes)
    throw errors.dataUnreadable(path, `${found.size} bytes are too many for a list of labels`);
  const text = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw errors.dataUnreadable(path, 'it is empty');
  return { path, lines };
}

/** The labels of a split's images. Whether lines carry names is told by the first that does. */
function labelsOf(split: Split, { path, lines }: LabelLines, flatSplits: number): LabelValue[] {
  const names = Array.from({ length: split.size }, (_, image) => split.nameOf(image));
  const known = new Set(names.flatMap((name) => [name, basename(name), withoutExtension(name)]));
  const named = new Map<string, string>();
  for (const line of lines) {
    const [, name, label] = /^(\S+?)(?:\s*[,;\t]\s*|\s+)(\S.*)$/.exec(line) ?? [];
    if (name !== undefined && label !== undefined) named.set(name, label);
  }
  if ([...named.keys()].some((name) => known.has(name)))
    return names.map(
      (name) => named.get(name) ?? named.get(basename(name)) ?? named.get(withoutExtension(name)) ?? null,
    );
  if (flatSplits > 1)
    throw errors.dataUnreadable(path, 'several splits are flat, so each of its lines must be `name label`');
  if (lines.length !== names.length)
    throw errors.dataUnreadable(path, `it has ${lines.length} labels for the ${names.length} images at ${split.path}`);
  return lines.map((line) => (line === '' ? null : line));
}

function withoutExtension(name: string): string {
  return basename(name).replace(/\.[^.]+$/, '');
}
