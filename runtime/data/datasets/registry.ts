/** Every kind of data set by its name in `data.kind`, and every kind of source that a worker thread can attach to. */
import { resolve } from 'node:path';
import type { DataConfig } from '../../../configs/schema.ts';
import { isShardPattern } from '../../../configs/shardPattern.ts';
import { errors } from '../../../protocol/errors.ts';
import type { Dataset, Split, SplitHandle } from '../dataset.ts';
import { randomStream, shuffled } from '../random.ts';
import { openCifar } from './cifar.ts';
import { openCifar10 } from './cifar10.ts';
import { openFashionMnist } from './fashionMnist.ts';
import { exists } from './fetchedFolder.ts';
import { filesSplit } from './files.ts';
import { openIdx } from './idx.ts';
import { openImageFolder } from './imageFolder.ts';
import { openLabelList } from './labelList.ts';
import { memorySplit } from './memory.ts';
import { openParquet, parquetSplit } from './parquet.ts';
import { subsetSplit } from './subset.ts';
import { openSynthetic, syntheticSplit } from './synthetic.ts';
import { openWebDataset, tarSplit } from './webdataset.ts';

export interface OpenContext {
  /** What `data.path` and `data.labels` are relative to; the working folder unless told. */
  baseFolder?: string;
  /** Seed of the choice of held-out images and of `maxTrainImages`. */
  seed?: number;
  /** Takes a sentence about something slow, such as a download. */
  onProgress?: (message: string) => void;
}

export type OpenDataset = (config: DataConfig, path: string | null, context: OpenContext) => Promise<Dataset>;

export const datasetKinds = {
  cifar10: openCifar10,
  'fashion-mnist': openFashionMnist,
  imagefolder: openImageFolder,
  labellist: openLabelList,
  webdataset: openWebDataset,
  parquet: openParquet,
  idx: openIdx,
  cifar: openCifar,
  synthetic: openSynthetic,
} satisfies Record<DataConfig['kind'], OpenDataset>;

/**
 * Opens a data set and applies `data.heldOut` and `data.maxTrainImages`.
 *
 * Held-out images are the first of a seeded shuffle of the training split and become its validation split; the rest,
 * cut to `maxTrainImages`, stay the training split. Without held-out images the data set's own validation split is
 * kept, and where it has only a test split, that one is the validation split too.
 */
export async function openDataset(config: DataConfig, context: OpenContext = {}): Promise<Dataset> {
  const path = config.path === undefined ? null : resolve(context.baseFolder ?? '.', config.path);
  const isPattern = isShardPattern(path ?? '') && (config.kind === 'webdataset' || config.kind === 'parquet');
  if (path !== null && !isPattern && !(await exists(path))) throw errors.dataPathMissing(path);
  const whole = await datasetKinds[config.kind](config, path, context);
  const { heldOut, maxTrainImages } = config;
  const own = { ...whole, validation: whole.validation ?? whole.test };
  if (heldOut === 0 && maxTrainImages === undefined) return own;
  if (heldOut >= whole.train.size) throw errors.heldOutTooLarge(whole.path, heldOut, whole.train.size);
  const order = shuffled(whole.train.size, randomStream({ seed: context.seed ?? 0, purpose: 'subset' }));
  const kept = order.subarray(heldOut, heldOut + (maxTrainImages ?? whole.train.size));
  return {
    ...own,
    train: subsetSplit('train', whole.train, kept.toSorted()),
    validation: heldOut === 0 ? own.validation : subsetSplit('validation', whole.train, order.slice(0, heldOut).sort()),
  };
}

/** Opens a shared split, in the same thread or in another. */
export function attachSplit(handle: SplitHandle): Split {
  switch (handle.source) {
    case 'memory':
      return memorySplit(handle);
    case 'files':
      return filesSplit(handle);
    case 'tar':
      return tarSplit(handle);
    case 'parquet':
      return parquetSplit(handle);
    case 'synthetic':
      return syntheticSplit(handle);
    case 'subset':
      return subsetSplit(handle.name, attachSplit(handle.of), handle.indices);
  }
}
