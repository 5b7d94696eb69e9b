import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatMetric } from '../../../experiments/formatMetric.ts';
import { resultMetrics } from '../../../experiments/resultColumns.ts';
import { EvaluationFeed } from '../../../experiments/store/evaluationSeries.ts';
import { knownMetric } from '../../../protocol/metrics.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evaluations-'));
  mkdirSync(join(folder, 'evals'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, line: object) =>
  appendFileSync(join(folder, 'evals', `${name}.jsonl`), `${JSON.stringify(line)}\n`);

test('figures on other data than the run\u2019s own are series of their own, read as their metrics are', async () => {
  write('a', { evaluation: 'knn', step: 20, time: 5, split: 'test', knnTop1: 0.7 });
  write('b', { evaluation: 'knn', step: 20, time: 6, split: 'test', data: 'imagenet on disk', knnTop1: 0.4 });
  const { last, best } = await new EvaluationFeed(folder, 'r').read(10);
  const other = 'testKnnTop1 on imagenet on disk';
  expect(last).toEqual({ testKnnTop1: 0.7, [other]: 0.4 });
  expect(best[other]).toEqual({ step: 20, value: 0.4 });
  const own = knownMetric('testKnnTop1')!;
  expect(knownMetric(other)).toEqual({ ...own, label: `${own.label} on imagenet on disk` });
  expect(knownMetric('unheardOf on imagenet')).toBeUndefined();
  expect(formatMetric(other, 0.4)).toBe('40.0 %');
  expect(resultMetrics([{ last, best }]).map(({ metric, byDefault }) => [metric, byDefault])).toEqual([
    ['testKnnTop1', true],
    [other, true],
  ]);
});

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
