import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { codingRateBounds } from '../../configs/derive.ts';
import type { JsonScalar } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { flattenConfig } from '../flattenConfig.ts';
import { isMissing } from './tailJsonLines.ts';

/** The resolved configuration of a run by dotted keys; empty while there is none, or when it is no YAML. */
export async function readRunConfig(runFolder: string): Promise<Record<string, JsonScalar>> {
  let text: string;
  try {
    text = await readFile(join(runFolder, runFiles.config), 'utf8');
  } catch (error) {
    if (isMissing(error)) return {};
    throw error;
  }
  try {
    return flattenConfig(parse(text, { maxAliasCount: 100 }));
  } catch {
    return {}; // half-written or foreign: the run is shown without its configuration
  }
}

/** Coding rate in nats of collapsed features under a flat configuration, null where it lacks what decides it. */
export function codingRateCollapsedOf(config: Record<string, JsonScalar>): number | null {
  const dim = config['projector.outputDim'];
  const batch = config['train.batchSize'];
  const groups = config['loss.codingRate.groups'];
  const eps = config['loss.eps'];
  if (![dim, batch, groups, eps].every((value) => typeof value === 'number' && value > 0)) return null;
  const perBatch = config['loss.codingRate.normalise'] === 'batch';
  const epsilon = (eps as number) * (perBatch ? Math.sqrt(groups as number) : 1);
  const { codingRateCollapsed } = codingRateBounds({
    dim: dim as number,
    batch: batch as number,
    groups: groups as number,
    epsilon,
  });
  return Number.isFinite(codingRateCollapsed) ? codingRateCollapsed : null;
}
