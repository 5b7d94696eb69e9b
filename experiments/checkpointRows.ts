import type { CheckpointRecord } from '../protocol/records.ts';

/** A checkpoint as lists show it. */
export interface CheckpointRow {
  name: string;
  step: number;
  epoch: number;
  /** What it was saved with; null where no evaluation came before it. */
  knnTop1: number | null;
  loss: number | null;
  bytes: number;
  createdAt: string;
  /** `next`: as many are kept as the configuration says, and this is the oldest: the next one that is written takes its place. */
  retention: 'kept' | 'next';
}

/** The checkpoints of a run, newest first. `keep` is its `checkpoint.keep`, undefined where it is not known. */
export function checkpointRows(
  checkpoints: readonly { name: string; bytes: number; record: CheckpointRecord }[],
  keep: number | undefined,
): CheckpointRow[] {
  const oldestFirst = [...checkpoints].sort((a, b) => a.record.step - b.record.step);
  return oldestFirst
    .map(({ name, bytes, record }, index): CheckpointRow => ({
      name,
      step: record.step,
      epoch: record.epoch,
      knnTop1: record.metrics['knnTop1'] ?? null,
      loss: record.metrics['loss'] ?? null,
      bytes,
      createdAt: record.createdAt,
      retention: keep !== undefined && oldestFirst.length - index >= keep ? 'next' : 'kept',
    }))
    .reverse();
}
