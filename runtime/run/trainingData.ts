import { resolve } from 'node:path';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { errors } from '../../protocol/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import { openDataset } from '../data/datasets/registry.ts';

/**
 * Opens a configuration's data set and makes its paths absolute, since the run folder lies elsewhere.
 *
 * @throws batchTooLarge when the training split has fewer images than a batch, and what `openDataset` throws
 */
export async function openTrainingData(
  config: ResolvedConfig,
  baseFolder: string,
  onProgress: (message: string) => void,
): Promise<{ config: ResolvedConfig; dataset: Dataset }> {
  const { path, labels } = config.data;
  const absolute: ResolvedConfig = {
    ...config,
    data: {
      ...config.data,
      ...(path !== undefined && { path: resolve(baseFolder, path) }),
      ...(labels !== undefined && { labels: resolve(baseFolder, labels) }),
    },
  };
  const dataset = await openDataset(absolute.data, { seed: 0, onProgress });
  const { batchSize } = config.train;
  if (dataset.train.size < batchSize) throw errors.batchTooLarge(batchSize, dataset.train.size, dataset.path);
  return { config: absolute, dataset };
}
