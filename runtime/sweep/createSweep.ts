import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Sweep } from '../../configs/readSweep.ts';
import { cellFingerprint, withAbsolutePaths } from '../../experiments/store/reusableRuns.ts';
import { errors } from '../../protocol/errors.ts';
import { recordVersion, type SweepRecord } from '../../protocol/records.ts';
import { isRunId, sweepFiles, sweepsFolder } from '../../protocol/runFolder.ts';
import { guard } from '../run/appendLines.ts';
import { formatResolvedConfig } from '../run/openRun.ts';

/**
 * Makes the folder of a sweep: its record, its file as written, and each cell's configuration with nothing left open,
 * so that later edits of the base change nothing.
 *
 * @throws usage when the name is taken or is none
 */
export function createSweep(
  sweep: Sweep,
  {
    id,
    text,
    runsFolder,
    createdAt,
    reusable = new Map(),
  }: {
    id: string;
    text: string;
    runsFolder: string;
    createdAt: string;
    /** Finished runs by the fingerprint of their configuration: a cell that has one is that run. */
    reusable?: ReadonlyMap<string, string>;
  },
): SweepRecord {
  if (!isRunId(id)) throw errors.usage(`'${id}' is not a sweep's name: use letters, digits, '.', '_' and '-'.`);
  const folder = join(runsFolder, sweepsFolder, id);
  if (existsSync(folder)) throw errors.usage(`There is a sweep '${id}' already; run it again with --resume.`);
  const nameOf = cellNames(id, sweep.runs.length, (runId) => existsSync(join(runsFolder, runId)));
  const configs = sweep.runs.map(({ config }) => withAbsolutePaths(config, dirname(sweep.basePath)));
  const record: SweepRecord = {
    version: recordVersion,
    id,
    createdAt,
    base: sweep.base,
    axes: sweep.axes,
    seeds: sweep.seeds,
    cells: sweep.runs.map(({ cell, seed, config }, index) => ({
      runId: reusable.get(cellFingerprint(config, sweep)) ?? nameOf(index),
      cell,
      seed,
    })),
    metric: sweep.metric,
    goal: sweep.goal,
    slots: sweep.slots,
    ...(sweep.devices.length > 0 ? { devices: sweep.devices } : {}),
  };
  guard(folder, () => {
    mkdirSync(join(folder, sweepFiles.cells), { recursive: true });
    mkdirSync(join(folder, sweepFiles.attempts));
    writeFileSync(join(folder, sweepFiles.config), text);
    for (const [index, config] of configs.entries())
      writeFileSync(join(folder, sweepFiles.cells, `${record.cells[index]?.runId}.yaml`), formatResolvedConfig(config));
    // Last, since a folder with a sweep.json counts as a sweep.
    writeFileSync(join(folder, sweepFiles.record), `${JSON.stringify(record, null, 2)}\n`, { flush: true });
  });
  return record;
}

/**
 * Cells are numbered from 1. A number that a run has already, say of a sweep of this name whose folder was deleted, gets a further one behind
 * it: that run would pass for the cell, whatever it was trained with.
 */
function cellNames(id: string, cells: number, isTaken: (runId: string) => boolean): (index: number) => string {
  const digits = String(cells).length;
  return (index) => {
    const name = `${id}-${String(index + 1).padStart(digits, '0')}`;
    let runId = name;
    for (let count = 2; isTaken(runId); count++) runId = `${name}-${count}`;
    return runId;
  };
}

/** The record of a sweep that was made before. @throws usage when there is none */
export function readSweepRecord(runsFolder: string, id: string): SweepRecord {
  const path = join(runsFolder, sweepsFolder, id, sweepFiles.record);
  if (!isRunId(id) || !existsSync(path)) throw errors.usage(`There is no sweep '${id}' in ${runsFolder}.`);
  return JSON.parse(readFileSync(path, 'utf8')) as SweepRecord;
}
