import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSweep } from '../../../configs/readSweep.ts';
import type { SweepRecord } from '../../../protocol/records.ts';
import { loadFromRepository } from '../configs/presetFiles.ts';

const folder = 'configs/sweeps';

/** The sweep files that ship. */
export const sweepFiles = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

/** The record that a shipped sweep would have, its runs called `run-0` and so on. */
export function recordOf(file: string): SweepRecord {
  const path = join(folder, file);
  const { sweep, diagnostics } = readSweep(readFileSync(path, 'utf8'), { path, load: loadFromRepository });
  if (!sweep) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const { axes, seeds, metric, goal, slots, base, runs } = sweep;
  const cells = runs.map(({ cell, seed }, index) => ({ cell, seed, runId: `run-${index}` }));
  return { version: 1, id: file, createdAt: '', base, axes, seeds, cells, metric, goal, slots };
}
