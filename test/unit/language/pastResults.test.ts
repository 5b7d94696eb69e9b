import { expect, test } from 'vitest';
import { pastMarkdown, pastResults, pastSentence, type PastRun } from '../../../configs/language/pastResults.ts';

const config = { method: 'simdino', 'data.kind': 'fashion-mnist', 'loss.eps': 0.3, 'crops.local.scale': '[0.05,0.4]' };
const run = (name: string, knnTop1: number, changes: PastRun['config'] = {}): PastRun => ({
  name,
  createdAt: '2026-01-01T00:00:00Z',
  config: { ...config, ...changes },
  knnTop1,
});
const of = (runs: PastRun[], key = 'loss.eps') => pastResults(key, runs, { config, current: 0.3 });

test('the best of each value, in the order of the values', () => {
  const runs = [
    run('a', 0.8, { 'loss.eps': 0.7 }),
    run('b', 0.81),
    run('c', 0.83),
    run('d', 0.79, { 'loss.eps': 0.22360679774997896 }),
  ];
  expect(of(runs)).toEqual([
    { value: '0.223607', best: 0.79, bestRun: 'd', runs: 1 },
    { value: '0.3', best: 0.83, bestRun: 'c', runs: 2 },
    { value: '0.7', best: 0.8, bestRun: 'a', runs: 1 },
  ]);
  expect(pastSentence(of(runs))).toBe('0.223607: 79.0 %, 0.3: 83.0 % (2 runs), 0.7: 80.0 %');
  expect(of(runs, 'crops.local.scale').map(({ value }) => value)).toEqual(['[0.05, 0.4]']);
});

test('numbers nearest to the present one', () => {
  const runs = [0.01, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 5].map((eps) => run(`r${eps}`, 0.5, { 'loss.eps': eps }));
  expect(of(runs).map(({ value }) => value)).toEqual(['0.1', '0.2', '0.25', '0.3', '0.35', '0.4']);
});

test('nothing of another method, of other data, without a result', () => {
  expect(
    of([
      run('a', 0.9, { method: 'dino' }),
      run('b', 0.9, { 'data.kind': 'imagefolder' }),
      run('c', 0.9, { 'data.path': 'elsewhere' }),
      run('d', Number.NaN),
    ]),
  ).toEqual([]);
  expect(pastMarkdown([])).toBe('');
});

test('names of runs are text, not markup', () => {
  const named = pastMarkdown(of([run('a|b [x](command:evil) <img>', 0.5), run('c', 0.4)]));
  expect(named).toBe(
    '**Your runs** on this data, best k-NN: `0.3` 50.0 % (a\\|b \\[x\\]\\(command:evil\\) \\<img\\>, best of 2).',
  );
});
