import { dirname } from 'node:path';
import type { ResolvedConfig } from '../../configs/schema.ts';
import type { Dataset } from '../data/dataset.ts';
import { openDataset } from '../data/datasets/registry.ts';

/**
 * Opens the data set of a configuration, and says on stderr what takes time.
 *
 * @param path of the configuration: relative paths start from its folder
 */
export function openConfiguredData(data: ResolvedConfig['data'], path: string): Promise<Dataset> {
  return openDataset(data, { baseFolder: dirname(path), onProgress: (text) => process.stderr.write(`${text}\n`) });
}
