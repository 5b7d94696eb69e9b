import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSweep } from '../../../configs/readSweep.ts';
import { cellFingerprint } from '../../../experiments/store/reusableRuns.ts';
import { createSweep } from '../../../runtime/sweep/createSweep.ts';
import { loadFromRepository } from '../configs/presetFiles.ts';

let runsFolder: string;
beforeEach(() => {
  runsFolder = mkdtempSync(join(tmpdir(), 'sweep-'));
});
afterEach(() => rmSync(runsFolder, { recursive: true }));

const text = 'base: tiny\naxes:\n  loss.eps: [0.25, 0.5, 1]\n';
const plan = readSweep(text, { path: 'eps.yaml', load: loadFromRepository }).sweep!;
const idsOf = (reusable?: ReadonlyMap<string, string>) =>
  createSweep(plan, {
    id: 'eps',
    text,
    runsFolder,
    createdAt: '2026-01-01T00:00:00Z',
    ...(reusable && { reusable }),
  }).cells.map(({ runId }) => runId);

test('cells are numbered', () => {
  expect(idsOf()).toEqual(['eps-1', 'eps-2', 'eps-3']);
});

test('a run that has the name of a cell is never taken for it, unless it was trained with the same configuration', () => {
  for (const left of ['eps-1', 'eps-2', 'eps-2-2']) mkdirSync(join(runsFolder, left));
  const last = cellFingerprint(plan.runs[2]!.config, plan);
  expect(idsOf(new Map([[last, 'eps-1']]))).toEqual(['eps-1-2', 'eps-2-3', 'eps-1']);
});
