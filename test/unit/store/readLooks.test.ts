import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readLooks } from '../../../experiments/store/readLooks.ts';
import { checkFromPanel, checkToPanel } from '../../../protocol/checkPanelMessage.ts';
import type { LookedRun } from '../../../protocol/panelMessages.ts';
import { columnNames, lookAt, pictureKinds, sharedSteps } from '../../../webview/look/lookModel.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'looks-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function look(step: number, time: number, text?: string): void {
  const path = join(folder, 'artifacts', 'look', `step-${String(step).padStart(6, '0')}-${time}`);
  mkdirSync(path, { recursive: true });
  const record = { version: 1, step, time, network: 'teacher', sizePx: 8, images: [], sheets: [] };
  writeFileSync(join(path, 'look.json'), text ?? JSON.stringify(record));
}

test('of each step the newest look that is whole counts', async () => {
  expect(await readLooks(folder)).toEqual([]);
  look(20, 1);
  look(10, 2);
  look(10, 3);
  look(10, 4, '{"version": 1, "st');
  look(30, 5, '{"version": 2}');
  const looks = await readLooks(folder);
  expect(looks.map(({ record }) => [record.step, record.time])).toEqual([
    [10, 3],
    [20, 1],
  ]);
});

const run = (id: string, ...steps: number[]): LookedRun => ({
  id,
  name: id,
  looks: steps.map((step) => ({
    step,
    images: [
      {
        name: 'a',
        pictures: [
          { kind: 'image', uri: 'x' },
          { kind: 'pca', uri: `${id}-${step}` },
        ],
      },
    ],
    sheets: [
      { kind: 'neighbours', uri: 'y' },
      { kind: 'sheet', uri: 'z' },
    ],
  })),
});

test('one slider goes through the steps of all runs; a run without the step shows its last until then', () => {
  const runs = [run('a', 0, 100), run('b', 50), run('c')];
  expect(sharedSteps(runs)).toEqual([0, 50, 100]);
  expect(runs.map((one) => lookAt(one, 50)?.step)).toEqual([0, 50, undefined]);
  expect(lookAt(runs[1]!, 0)?.step).toBe(50);
  expect(pictureKinds(runs)).toEqual(['pca', 'neighbours']);
});

test('no two columns have one name', () => {
  const named = (id: string, name: string): LookedRun => ({ ...run(id, 0), name });
  expect(columnNames([named('a-1', 'quick'), named('a-2', 'quick'), named('b', 'slow')])).toEqual([
    'quick (a-1)',
    'quick (a-2)',
    'slow',
  ]);
});

test('messages are checked at both ends', () => {
  const sent = { type: 'look/snapshot', busy: false, runs: [run('a', 1)] };
  expect(checkToPanel(sent)).toEqual({ ok: true, message: sent });
  for (const wrong of [
    { ...sent, runs: [{}] },
    { ...sent, busy: 1 },
    { ...sent, runs: [{ ...run('a', 1), id: '../a' }] },
    { ...sent, runs: [{ ...run('a'), looks: [{ step: 1, images: [{ name: 'a', pictures: [{}] }], sheets: [] }] }] },
  ])
    expect(checkToPanel(wrong).ok).toBe(false);
  expect(checkFromPanel({ type: 'ready', panel: 'look' }).ok).toBe(true);
  expect(checkFromPanel({ type: 'look', runId: 'a' }).ok).toBe(true);
  for (const wrong of [{ type: 'look' }, { type: 'look', runId: 'x'.repeat(200) }, { type: 'look', runId: '../a' }])
    expect(checkFromPanel(wrong).ok).toBe(false);
});
