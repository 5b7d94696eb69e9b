import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { LivenessWatch } from '../../../experiments/store/liveness.ts';
import { summariseRun } from '../../../experiments/store/summariseRun.ts';
import { readRunMetrics } from '../../../experiments/store/runMetrics.ts';
import { crc32c, maskedCrc32c } from '../../../runtime/interchange/crc32c.ts';
import { createEventFile, readEventFile } from '../../../runtime/interchange/eventFile.ts';
import { exportTensorboard } from '../../../runtime/interchange/exportTensorboard.ts';
import { importRun } from '../../../runtime/interchange/importRun.ts';
import { readTensorboard } from '../../../runtime/interchange/importTensorboard.ts';
import { tensorboardPython } from '../../host/tensorboardPython.ts';
import { temporaryFolder } from '../data/temporaryFolder.ts';
import { exampleRun } from './exampleRun.ts';
import { readEvents } from './tensorboardReader.ts';

const ascii = (text: string) => new TextEncoder().encode(text);

test('the check sum is Castagnoli\u2019s', () => {
  // The check value of the CRC catalogue, and RFC 3720's 32 zeros.
  expect(crc32c(ascii('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(maskedCrc32c(new Uint8Array(32))).toBe((((0x8a9136aa >>> 15) | (0x8a9136aa << 17)) + 0xa282ead8) >>> 0);
});

test('a reader that shares nothing with the writer finds scalars, times and pictures', async () => {
  const folder = temporaryFolder();
  const run = await exampleRun(folder);
  const { path, scalars, images, problems } = await exportTensorboard(run, join(folder, 'logs'), { nowMs: 1 });
  expect({ scalars, images, problems }).toEqual({ scalars: 9, images: 6, problems: [] });
  const [version, ...events] = readEvents(path);
  expect(version!.version).toBe('brain.Event:2');
  const losses = events.flatMap(({ step, values }) =>
    values.filter(({ tag }) => tag === 'loss').map(({ value }) => [step, value]),
  );
  expect(losses).toEqual([
    [1, 0.5],
    [2, 0.25],
    [3, NaN],
    [4, -0.125],
  ]);
  expect(events.find(({ step }) => step === 2)!.wallTime).toBe(1_700_000_001);
  const pictures = events.flatMap(({ step, wallTime, values }) =>
    values.filter(({ png }) => png).map(({ tag, png }) => ({ step, wallTime, tag, png: png! })),
  );
  // Of step 2 the newer ones.
  const expected = [
    [2, 1_700_000_020],
    [4, 1_700_000_030],
  ].flatMap(([step, wallTime]) =>
    ['look/sheet', 'look/1 ship/attention', 'look/2 ship/attention'].map((tag) => ({ step, wallTime, tag })),
  );
  expect(pictures.map(({ step, wallTime, tag }) => ({ step, wallTime, tag }))).toEqual(expected);
  const attention = join(run, 'artifacts', 'look', 'step-000004-1700000030000', '0-attention.png');
  expect(pictures[4]!.png.equals(readFileSync(attention))).toBe(true);
  expect(await sharp(pictures[4]!.png).metadata()).toMatchObject({ format: 'png', channels: 3 });
  // In the order of steps: readers take a step back for a restart.
  const steps = events.map(({ step }) => step);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
});

test('a picture that is gone is told, and the others are exported', async () => {
  const folder = temporaryFolder();
  const run = await exampleRun(folder);
  const gone = join('artifacts', 'look', 'step-000004-1700000030000', 'sheet.png');
  rmSync(join(run, gone));
  const { images, problems } = await exportTensorboard(run, join(folder, 'logs'), { nowMs: 1 });
  expect({ images, problems }).toEqual({ images: 5, problems: [`${gone}: missing`] });
});

test('TensorBoard reads what was exported', { timeout: 300_000 }, async ({ skip }) => {
  const python = await tensorboardPython();
  if (python === undefined) skip('Python\u2019s package index can\u2019t be reached from here');
  const folder = temporaryFolder();
  const { path } = await exportTensorboard(await exampleRun(folder), join(folder, 'logs'), { nowMs: 1 });
  const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'images': 0})
events.Reload()
tags = events.Tags()
print(json.dumps({
  'scalars': {tag: [[e.step, e.wall_time, str(e.value)] for e in events.Scalars(tag)] for tag in tags['scalars']},
  'images': {tag: [[e.step, e.width, e.height, len(e.encoded_image_string)] for e in events.Images(tag)] for tag in tags['images']},
}))`;
  const seen = JSON.parse(execFileSync(python!, ['-c', script, path], { encoding: 'utf8' })) as {
    scalars: Record<string, [number, number, string][]>;
    images: Record<string, [number, number, number, number][]>;
  };
  expect(seen.scalars['loss']).toEqual([
    [1, 1_700_000_000.5, '0.5'],
    [2, 1_700_000_001, '0.25'],
    [3, 1_700_000_001.5, 'nan'],
    [4, 1_700_000_002, '-0.125'],
  ]);
  expect(Object.keys(seen.scalars).sort()).toEqual(['epoch', 'knnTop1', 'loss', 'lr']);
  expect(Object.keys(seen.images).sort()).toEqual(['look/1 ship/attention', 'look/2 ship/attention', 'look/sheet']);
  expect(seen.images['look/sheet']!.map((image) => image.slice(0, 3))).toEqual([
    [2, 6, 4],
    [4, 6, 4],
  ]);
});

test('an imported event file becomes a finished run with the same curves', async () => {
  const folder = temporaryFolder();
  await exportTensorboard(await exampleRun(folder), join(folder, 'logs'), { nowMs: 1 });
  const log = readTensorboard(join(folder, 'logs'));
  const run = await importRun(log, {
    id: 'old',
    runsFolder: folder,
    source: join(folder, 'logs'),
    command: ['simdino', 'import'],
    config: null,
    trainImages: 0,
    nowMs: 5,
  });
  const { table } = await readRunMetrics(run);
  expect([...table.series('loss').values]).toEqual([0.5, 0.25, NaN, -0.125]);
  expect([...table.step]).toEqual([1, 2, 3, 4]);
  expect(table.epoch[3]).toBeCloseTo(0.4, 6);
  expect(table.series('knnTop1').values[0]).toBe(0.75);
  const { state, problems } = await summariseRun(run, 'old', new LivenessWatch(), Date.now());
  expect({ state, problems }).toEqual({ state: 'finished', problems: [] });
});

test('a restarted writer\u2019s earlier steps count once', () => {
  const folder = temporaryFolder();
  const first = createEventFile(folder, { startedMs: 1000, mark: 'a' });
  for (const step of [1, 2, 3]) first.scalars(step, 1000 * step, { 'train/loss': step });
  first.close();
  const second = createEventFile(folder, { startedMs: 9000, mark: 'b', resumedAt: 1 });
  second.scalars(2, 10_000, { 'train/loss': 20 });
  second.close();
  expect(readTensorboard(folder).lines.map(({ step, loss }) => [step, loss])).toEqual([
    [1, 1],
    [2, 20],
  ]);
});

test('a torn end is passed over, a flipped bit is not', () => {
  const folder = temporaryFolder();
  const file = createEventFile(folder, { startedMs: 1000, mark: 'a' });
  file.scalars(1, 1000, { loss: 1 });
  file.close();
  const whole = readFileSync(file.path);
  appendFileSync(file.path, whole.subarray(0, 20));
  expect(readEventFile(file.path)).toHaveLength(2);
  whole[whole.length - 8]! ^= 1;
  writeFileSync(file.path, whole);
  expect(() => readEventFile(file.path)).toThrow(/check sum of the record/);
});
