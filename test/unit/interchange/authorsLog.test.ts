import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAuthorsLog } from '../../../runtime/interchange/authorsLog.ts';
import { temporaryFolder } from '../data/temporaryFolder.ts';

const options = { stepsPerEpoch: 2502, gamma: 1 / 256 + 1 / 512, modifiedMs: 7 };

test('the published log of the v1 tree in our terms', () => {
  const path = join(temporaryFolder(), 'log.txt');
  const epoch = (count: number, loss: number, comp: number, expa: number) =>
    JSON.stringify({
      train_loss: loss,
      train_expa_loss: expa,
      train_comp_loss: comp,
      train_lr: 1e-3,
      train_wd: 0.04,
      epoch: count,
    });
  writeFileSync(path, `${epoch(0, -0.81916, 0.44414, 0.37502)}\n${epoch(99, -1.28225, 0.85844, 0.4238)}\n{"train_lo`);
  const { method, format, lines, totalSteps } = readAuthorsLog(path, options);
  expect({ method, format, totalSteps }).toEqual({
    method: 'simdino',
    format: 'authors\u2019 log (v1)',
    totalSteps: 250_200,
  });
  const last = lines.at(-1)!;
  expect(last).toMatchObject({ step: 250_200, epoch: 100, lr: 1e-3, weightDecay: 0.04, teacherStudentCosine: 0.85844 });
  expect(last['distance']).toBeCloseTo(0.14156, 10);
  // Maximum 0.450 / gamma (8 groups of 64): the published run ends near it.
  expect(last['codingRate']).toBeCloseTo(72.33, 2);
  // Ours is distance - gamma R.
  expect(last['loss']).toBeCloseTo(0.14156 - 0.4238, 4);
});

test('DINO\u2019s log keeps its loss, and a repeated epoch counts once', () => {
  const path = join(temporaryFolder(), 'log.txt');
  const epoch = (count: number, loss: number) =>
    JSON.stringify({ train_loss: loss, train_lr: 1e-3, train_wd: 0.04, epoch: count });
  writeFileSync(path, [epoch(0, 10), epoch(1, 9), epoch(1, 8)].join('\n'));
  const { method, lines } = readAuthorsLog(path, { ...options, stepsPerEpoch: 1, gamma: null });
  expect(method).toBe('dino');
  expect(lines.map(({ step, loss }) => [step, loss])).toEqual([
    [1, 10],
    [2, 8],
  ]);
});

test('the v2 tree counts iterations', () => {
  const path = join(temporaryFolder(), 'training_metrics.json');
  writeFileSync(
    path,
    `${JSON.stringify({ iteration: 9, lr: 1e-4, wd: 0.05, mom: 0.91, total_loss: -1.9, comp_loss: 0.8, expa_loss: 0.5, patch_loss: 0.6 })}\n`,
  );
  const { lines, method } = readAuthorsLog(path, options);
  expect(method).toBe('simdinov2');
  expect(lines[0]).toMatchObject({ step: 10, lr: 1e-4, weightDecay: 0.05, momentum: 0.91, distance: 1 - 0.8 });
  expect(lines[0]!['loss']).toBeCloseTo(0.1, 10);
});

test('any other text is refused', () => {
  const path = join(temporaryFolder(), 'log.txt');
  writeFileSync(path, 'hello\n{"a": 1}\n');
  expect(() => readAuthorsLog(path, options)).toThrow(/can't be imported: no line of it is JSON with an `epoch`/);
});
