import { expect, test } from 'vitest';
import { cellResults, sweepPage, type CellRun } from '../../../experiments/sweepResults.ts';

const run = (changes: Partial<CellRun>): CellRun => ({
  runId: 'desk-1',
  cell: { method: 'simdino', 'teacher.momentum': 0.9 },
  seed: 0,
  outcome: 'finished',
  knn: [
    { epoch: 0, top1: 0.5 },
    { epoch: 1, top1: 0.6 },
  ],
  last: { effectiveRankTeacher: 12, codingRate: 50, codingRateMax: 100, teacherStudentCosine: 0.8 },
  engine: 'onnx',
  environment: null,
  commit: null,
  configSha256: null,
  minutes: 1,
  ...changes,
});
const later = (top1: number) => [
  { epoch: 0, top1: 0.5 },
  { epoch: 1, top1 },
];
const dino = { method: 'dino', 'teacher.momentum': 0.9, 'dino.prototypes': 1024 };
const slow = { method: 'dino', 'teacher.momentum': 0.996, 'dino.prototypes': 1024 };

const runs = [
  run({ seed: 0, knn: later(0.6) }),
  run({ seed: 1, knn: later(0.8) }),
  run({ cell: dino, seed: 0, outcome: 'diverged', knn: [] }),
  run({ cell: dino, seed: 1, last: { effectiveRankTeacher: 1.2 }, knn: later(0.1) }),
  run({ cell: slow, seed: 0, last: { effectiveRankTeacher: 9, teacherEntropy: 3 }, knn: later(0.7) }),
  run({ cell: slow, seed: 1, outcome: 'unfinished', knn: [{ epoch: 0, top1: 0.5 }] }),
];

test('only finished runs are averaged; collapsed and diverged ones are counted', () => {
  const cells = cellResults(runs);
  expect(
    cells.map(({ finished, collapsed, diverged, knnAfter }) => [
      finished,
      collapsed,
      diverged,
      knnAfter?.mean,
      knnAfter?.n,
    ]),
  ).toEqual([
    [2, 0, 0, expect.closeTo(0.7, 12), 2],
    [1, 1, 1, 0.1, 1],
    [1, 0, 0, 0.7, 1],
  ]);
  expect(cells[0]!.knnAfter!.std).toBeCloseTo(Math.SQRT2 / 10, 12);
  expect(cells[0]!.curve.map(({ epoch }) => epoch)).toEqual([0, 1]);
});

test('a cell is called by what sets it apart from the others of its method', () => {
  expect(cellResults(runs).map(({ label }) => label)).toEqual([
    'simdino',
    'dino, teacher.momentum 0.9',
    'dino, teacher.momentum 0.996',
  ]);
});

test('the page says how many runs there are, and marks what is no mean', () => {
  const page = sweepPage({
    comment: ['Desk scale: a title.', '', '  command   npm run desk', 'What it is about.'],
    sweepFile: 'configs/sweeps/desk_some.yaml',
    runs,
  });
  expect(page).toContain('# Desk scale: a title\n');
  expect(page).toContain('What it is about.');
  expect(page).not.toContain('npm run desk\n');
  expect(page).toContain('4 of 6 finished; 1 are missing and count nowhere');
  expect(page).toContain('finished, collapsed');
  const single = sweepPage({ comment: [], sweepFile: 'x.yaml', runs: runs.slice(0, 1) });
  expect(single).toContain('n = 1 for each cell: one run is a sign and no more');
});

test('a sweep that has not begun is a page without numbers', () => {
  const [cell] = cellResults([run({ outcome: 'unfinished', knn: [], last: {} })]);
  expect(cell).toMatchObject({ finished: 0, knnAfter: null, curve: [] });
});
