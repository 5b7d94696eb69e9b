import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { recordVersion, type SweepRecord } from '../../../protocol/records.ts';
import { runSweep } from '../../../runtime/sweep/runSweep.ts';
import { deviceEnvironment, deviceOfSlot } from '../../../runtime/sweep/deviceSlots.ts';

const runs = mkdtempSync(join(tmpdir(), 'simdino-devices-'));
afterAll(() => rmSync(runs, { recursive: true, force: true }));

test('slots take the devices in turn', () => {
  expect([0, 1, 2, 3].map((slot) => deviceOfSlot(slot, ['0', '2']))).toEqual(['0', '2', '0', '2']);
  expect(deviceOfSlot(1, undefined)).toBeUndefined();
  expect(deviceOfSlot(1, [])).toBeUndefined();
  expect(deviceEnvironment(undefined)).toEqual({});
});

test('each device has one run of the grid at a time', async () => {
  const sweep: SweepRecord = {
    version: recordVersion,
    id: 'grid',
    createdAt: '2026-01-01T00:00:00.000Z',
    base: 'tiny',
    axes: [],
    seeds: [1, 2, 3, 4, 5, 6],
    cells: [1, 2, 3, 4, 5, 6].map((seed) => ({ runId: `grid-${seed}`, cell: {}, seed })),
    metric: 'knnTop1',
    goal: 'maximise',
    slots: 3,
    devices: ['0', '1', '3'],
  };
  mkdirSync(join(runs, 'sweeps', 'grid', 'attempts'), { recursive: true });
  const seen = join(runs, 'seen');
  mkdirSync(seen);
  // In the place of a trainer: notes when it had which device.
  const script = join(runs, 'trainer.cjs');
  writeFileSync(
    script,
    `const { writeFileSync } = require('node:fs');
    const from = Date.now();
    setTimeout(() => writeFileSync(${JSON.stringify(seen)} + '/' + process.pid, JSON.stringify({ device: process.env.CUDA_VISIBLE_DEVICES, from, to: Date.now() })), 300);`,
  );
  chmodSync(script, 0o755);
  await runSweep(sweep, {
    runsFolder: runs,
    simdino: [process.execPath, script],
    onMessage: () => undefined,
    signal: new AbortController().signal,
    now: () => Date.now(),
  });
  expect(existsSync(seen)).toBe(true);
  const spans = readdirSync(seen).map(
    (name) => JSON.parse(readFileSync(join(seen, name), 'utf8')) as { device: string; from: number; to: number },
  );
  expect(spans).toHaveLength(6);
  for (const device of ['0', '1', '3']) {
    const own = spans.filter((span) => span.device === device).sort((a, b) => a.from - b.from);
    expect(own.length, device).toBeGreaterThan(0);
    own.slice(1).forEach((span, index) => expect(span.from).toBeGreaterThanOrEqual(own[index]!.to));
  }
});
