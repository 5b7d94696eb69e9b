import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EvaluationFeed } from '../../../experiments/store/evaluationSeries.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evaluations-'));
  mkdirSync(join(folder, 'evals'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, line: object) =>
  appendFileSync(join(folder, 'evals', `${name}.jsonl`), `${JSON.stringify(line)}\n`);

test('figures of later evaluations become series by step, beside the run\u2019s own metrics', async () => {
  const feed = new EvaluationFeed(folder, 'r');
  expect(await feed.read(10)).toEqual({ series: [], last: {}, best: {}, problems: [] });
  write('a', { evaluation: 'knn', step: 20, time: 5, split: 'test', knnTop1: 0.7, k: 20, voting: 'v1' });
  write('b', { evaluation: 'knn', step: 10, time: 6, split: 'test', knnTop1: 0.8, k: 20 });
  write('c', {
    evaluation: 'maskCut',
    step: 20,
    time: 7,
    split: 'validation',
    maskAP: 0.02,
    maskAPsmall: -1,
    tau: 0.15,
  });
  const { series, last, best } = await feed.read(10);
  expect(
    series.map(({ metric, from, step, epoch, value }) => [metric, from, [...step], [...epoch], [...value]]),
  ).toEqual([
    ['testKnnTop1', 0, [10, 20], [1, 2], [0.8, 0.7]],
    ['maskAP', 0, [20], [2], [0.02]],
  ]);
  expect(last).toEqual({ testKnnTop1: 0.7, maskAP: 0.02 });
  expect(best['testKnnTop1']).toEqual({ step: 10, value: 0.8 });
  expect((await feed.read(10)).series).toEqual([]);
  // Evaluated once more: of one step the newest counts.
  write('d', { evaluation: 'knn', step: 20, time: 9, split: 'test', knnTop1: 0.75 });
  const again = await feed.read(10);
  expect(again.last['testKnnTop1']).toBe(0.75);
  expect(again.series).toHaveLength(2);
});
