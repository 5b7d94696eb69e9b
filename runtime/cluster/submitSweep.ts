import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import { summariseRun } from '../../experiments/store/summariseRun.ts';
import { needsRun } from '../../experiments/sweepCells.ts';
import type { ResolvedConfig } from '../../configs/schema.ts';
import type { JobRecord, SweepRecord } from '../../protocol/records.ts';
import { runFiles, sweepFiles, sweepsFolder } from '../../protocol/runFolder.ts';
import { readConfigFile } from '../configFile.ts';
import { guard, jsonLine } from '../run/appendLines.ts';
import { createRun } from '../run/openRun.ts';
import { openTrainingData } from '../run/trainingData.ts';
import { submit } from './submit.ts';

/** The configuration of a cell, with nothing left open, as it was when the sweep was made. */
export function cellConfig(
  sweep: SweepRecord,
  runId: string,
  runsFolder: string,
): { config: ResolvedConfig; path: string } {
  const path = cellPath(sweep, runId, runsFolder);
  return { config: readConfigFile(path).config, path };
}

function cellPath(sweep: SweepRecord, runId: string, runsFolder: string): string {
  return join(runsFolder, sweepsFolder, sweep.id, sweepFiles.cells, `${runId}.yaml`);
}

/** Where the cells of a sweep are started: all of them in the same way, the first one's. */
export function launcherOf(sweep: SweepRecord, runsFolder: string): ResolvedConfig['runtime']['launcher'] {
  const own = sweep.cells.find(({ runId }) => existsSync(cellPath(sweep, runId, runsFolder)));
  return own ? cellConfig(sweep, own.runId, runsFolder).config.runtime.launcher : 'local';
}

/**
 * Gives the cells of a sweep that are not finished, and that nothing works on, to the cluster as one job array, `slots` at a time. A
 * cell's run folder is made first, so that a cell that waits is seen to wait. With `only`, no others than these.
 *
 * @returns the array's number, null when nothing was left to do
 */
export async function submitSweep(
  sweep: SweepRecord,
  {
    runsFolder,
    onMessage,
    nowMs,
    only,
  }: { runsFolder: string; onMessage: (text: string) => void; nowMs: number; only?: ReadonlySet<string> },
): Promise<{ job: string | null; cells: number }> {
  const watch = new LivenessWatch();
  const due: SweepRecord['cells'] = [];
  for (const cell of sweep.cells) {
    const folder = join(runsFolder, cell.runId);
    const state = existsSync(folder) ? (await summariseRun(folder, cell.runId, watch, nowMs)).state : undefined;
    if (needsRun(state) && (only?.has(cell.runId) ?? true)) due.push(cell);
  }
  const [first] = due;
  if (!first) return { job: null, cells: 0 };
  for (const { runId, cell, seed } of due) {
    if (existsSync(join(runsFolder, runId))) continue;
    const { config: written, path } = cellConfig(sweep, runId, runsFolder);
    const { config, dataset } = await openTrainingData(written, dirname(path), onMessage);
    createRun({
      id: runId,
      runsFolder,
      config,
      configSource: path,
      trainImages: dataset.train.size,
      command: ['simdino', 'sweep', sweep.id],
      sweep: { id: sweep.id, cell, seed },
      parent: null,
      createdAt: new Date(nowMs).toISOString(),
    });
  }
  const logs = join(runsFolder, sweepsFolder, sweep.id, 'launch');
  mkdirSync(logs, { recursive: true });
  const job = await submit({
    runIds: due.map(({ runId }) => runId),
    runsFolder,
    slurm: cellConfig(sweep, first.runId, runsFolder).config.runtime.slurm,
    name: sweep.id,
    logPath: join(logs, due.length > 1 ? 'job-%A_%a.log' : 'job-%j.log'),
    atOnce: sweep.slots,
    tool: 'simdino sweep',
    nowMs,
  });
  const path = join(runsFolder, sweepsFolder, sweep.id, runFiles.jobs);
  const record: JobRecord = {
    scheduler: 'slurm',
    job,
    submittedAt: new Date(nowMs).toISOString(),
    by: `simdino sweep (process ${process.pid} on ${hostname()})`,
  };
  guard(path, () => appendFileSync(path, `${jsonLine({ ...record })}\n`));
  return { job, cells: due.length };
}
