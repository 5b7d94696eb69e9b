/** The runs of a sweep's cells with the curves and last values that a table of results is made of. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SweepRecord } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import type { CellRun } from '../sweepResults.ts';
import { readRun } from './readRun.ts';
import { RunMetrics } from './runMetrics.ts';

/** @param runsFolder where the runs of the sweep are */
export async function readCells(sweep: SweepRecord, runsFolder: string): Promise<CellRun[]> {
  return Promise.all(
    sweep.cells.map(async ({ runId, cell, seed }): Promise<CellRun> => {
      const folder = join(runsFolder, runId);
      const { record, events, attempts } = await readRun(folder);
      const metrics = new RunMetrics(folder);
      await metrics.read();
      const { table } = metrics;
      const knn = table.series('knnTop1');
      const last = Object.fromEntries(
        table.names.flatMap((name): [string, number][] => {
          const newest = table.latest(name);
          return newest ? [[name, newest.value]] : [];
        }),
      );
      const ended = events.findLast(({ type }) => ['finished', 'stopped', 'failed'].includes(type));
      const isDiverged = ended?.type === 'failed' && ended.code === 'lossNotFinite';
      return {
        runId,
        cell,
        seed,
        outcome: ended?.type === 'finished' ? 'finished' : isDiverged ? 'diverged' : 'unfinished',
        knn: Array.from(knn.rows, (row, index) => ({ epoch: table.epoch[row]!, top1: knn.values[index]! })),
        last,
        engine: attempts.at(-1)?.record?.engine ?? null,
        environment: record?.environment ?? null,
        commit: record?.git ? `${record.git.commit}${record.git.dirty ? ' (changed)' : ''}` : null,
        configSha256: await sha256Of(join(folder, runFiles.config)),
        minutes: minutesOf(table.time),
      };
    }),
  );
}

/** Null without the file. */
async function sha256Of(path: string): Promise<string | null> {
  try {
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function minutesOf(time: Float64Array): number | null {
  const [first, last] = [time[0], time.at(-1)];
  return first === undefined || last === undefined ? null : (last - first) / 60_000;
}
