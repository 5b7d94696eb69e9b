import type { ResolvedConfig } from '../../configs/schema.ts';
import { errors } from '../../protocol/errors.ts';
import type { OwnShare } from '../ops/sumOverRanks.ts';

/** The images of a batch that a process takes: consecutive ones, in the order of the ranks. */
export function partOf({ rank, ranks }: OwnShare, batchSize: number): { first: number; count: number } {
  const count = batchSize / ranks;
  return { first: rank * count, count };
}

/**
 * Refuses what several processes can't do.
 *
 * @throws ranksUneven; usage with `runtime.microBatch`, which divides a batch that one process has to itself
 */
export function requireShares({ train, runtime }: ResolvedConfig, { ranks }: OwnShare): void {
  if (train.batchSize % ranks !== 0) throw errors.ranksUneven(train.batchSize, ranks);
  if (runtime.microBatch !== undefined && runtime.microBatch < train.batchSize)
    throw errors.usage('Several processes share the batch already; leave runtime.microBatch out.');
}
