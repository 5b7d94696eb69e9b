/**
 * WebDataset: tar shards whose neighbouring members with the same name up to the first dot are one sample (`0001.jpg`,
 * `0001.cls`). Every shard is indexed once; then any image is one read, or, with
 * `data.access: streaming`, training reads every shard from front to back (shardStream.ts).
 *
 * A sample's class comes from its `.cls`, else from the key `data.labelColumn` (`label`) of its `.json`, else from its
 * `.txt`.
 */
import { relative } from 'node:path';
import { errors } from '../../../protocol/errors.ts';
import { FaultyImage, splitNames, type Dataset, type Split, type Streamed, type TarHandle } from '../dataset.ts';
import { decodeImage, maxFileBytes } from '../decode.ts';
import { packNames, unpackName } from './files.ts';
import { readRange } from './fileRange.ts';
import { classify, type LabelledPart } from './labelValues.ts';
import type { OpenDataset } from './registry.ts';
import { sharedIndices, sharedOffsets } from './shared.ts';
import { findShards } from './shardFiles.ts';
import { shardOrder } from './shardOrder.ts';
import { shardStream } from './shardStream.ts';
import { tarIndex, type TarIndex } from './tarIndex.ts';

/** Texts of which more than this share differ from each other are captions, not classes. */
const largestClassShare = 0.5;

export const openWebDataset: OpenDataset = async (config, path, { onProgress = () => {} }) => {
  if (path === null)
    throw errors.dataPathNeeded(
      'webdataset',
      'a folder of .tar shards, one shard, or a pattern like train-{0000..0003}.tar',
    );
  const { folder, bySplit } = await findShards(path, /\.tar$/i, '.tar shards', (file) =>
    onProgress(`${file} belongs to no split and is left out`),
  );
  const labelKey = config.labelColumn ?? 'label';
  const names = splitNames.filter((name) => bySplit[name].length > 0);
  const parts: { shards: string[]; indices: TarIndex[]; labelled: LabelledPart }[] = [];
  for (const name of names) {
    const shards = bySplit[name];
    const indices: TarIndex[] = [];
    for (const shard of shards) {
      const index = await tarIndex(shard, labelKey, onProgress);
      for (const note of index.notes) onProgress(`${relative(folder, shard)}: left out: ${note}`);
      indices.push(index);
    }
    const keys = indices.flatMap((index) => index.keys);
    if (keys.length === 0)
      throw errors.dataEmpty(shards.length === 1 ? shards[0]! : path, 'samples with an image file');
    const labels = indices.flatMap((index) => index.labels);
    const areCaptions =
      indices.some((index) => index.labelsAreTexts) && new Set(labels).size > largestClassShare * labels.length;
    if (areCaptions) onProgress(`The .txt files of the ${name} split are captions, not classes: it has no labels`);
    parts.push({
      shards,
      indices,
      labelled: {
        path: shards.length === 1 ? shards[0]! : path,
        labels: areCaptions ? labels.map(() => null) : labels,
        nameOf: (image) => keys[image]!,
      },
    });
  }
  const classed = classify(parts.map(({ labelled }) => labelled));
  const splits = parts.map(({ shards, indices, labelled }, part): Split => {
    const size = labelled.labels.length;
    const shard_N = sharedIndices(size);
    const offsets_N = sharedOffsets(size);
    const bytes_N = sharedOffsets(size);
    let image = 0;
    indices.forEach((index, shard) => {
      shard_N.fill(shard, image, image + index.keys.length);
      offsets_N.set(index.offsets, image);
      bytes_N.set(index.bytes, image);
      image += index.keys.length;
    });
    return tarSplit({
      source: 'tar',
      name: names[part]!,
      path: labelled.path,
      size,
      shards,
      shardNames: shards.map((shard) => relative(folder, shard)),
      shard_N,
      offsets_N,
      bytes_N,
      windowImages: config.access === 'streaming' ? config.shuffleImages : null,
      ...packNames(indices.flatMap((index) => index.keys)),
      ...classed[part]!,
    });
  });
  const split = (name: Split['name']): Split | null => splits.find((candidate) => candidate.name === name) ?? null;
  const train = split('train')!;
  return {
    kind: 'webdataset',
    path,
    classes: train.classes,
    train,
    validation: split('validation'),
    test: split('test'),
  } satisfies Dataset;
};

/** Images in tar shards, each read and decoded when asked for. */
export function tarSplit(handle: TarHandle): Split {
  const { name, path, size, classes, shards, shardNames, shard_N, offsets_N, bytes_N, labels_N } = handle;
  const check = (index: number): number => {
    if (!(index >= 0 && index < size)) throw new Error(`internal: image ${index} of a split of ${size}`);
    return index;
  };
  return {
    name,
    path,
    size,
    classes,
    image: async (index) => {
      const bytes = bytes_N[check(index)]!;
      if (bytes > maxFileBytes) throw new FaultyImage(`its ${bytes} bytes are more than the limit of ${maxFileBytes}`);
      let content: Uint8Array;
      try {
        content = await readRange(shards[shard_N[index]!]!, offsets_N[index]!, bytes);
      } catch (error) {
        throw new FaultyImage((error as NodeJS.ErrnoException).code ?? String(error), { cause: error });
      }
      if (content.length < bytes) throw new FaultyImage('its shard has become shorter since it was indexed');
      return decodeImage(content);
    },
    label: (index) => (labels_N === null ? null : labels_N[check(index)]!),
    ...(handle.windowImages !== null && { streamed: streamedShards(handle, handle.windowImages) }),
    nameOf: (index) => `${shardNames[shard_N[check(index)]!]!}:${unpackName(handle, index)}`,
    share: () => handle,
  };
}

function streamedShards(handle: TarHandle, windowImages: number): Streamed {
  const shardEnds = handle.shards.map(() => 0);
  handle.shard_N.forEach((shard, image) => (shardEnds[shard] = image + 1));
  // A shard without images ends where the one before it does.
  shardEnds.forEach((end, shard) => (shardEnds[shard] = Math.max(end, shardEnds[shard - 1] ?? 0)));
  return {
    order: (seed, epoch) => shardOrder(shardEnds, windowImages, { seed, epoch }).using_N,
    read: (start) => shardStream({ ...handle, shardEnds, windowImages }, start),
  };
}
