import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunCollection } from '../../../experiments/store/runCollection.ts';
import { TableData } from '../../../experiments/store/tableData.ts';
import { metricLines, temporaryFolder, writeRun } from './runFolders.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a run that ended has its row again when it was evaluated, and only then', async () => {
  const run = await writeRun(folder, 'done', [
    { metrics: metricLines(1, 3), events: [{ type: 'finished', time: 2, step: 3 }] },
  ]);
  const collection = new RunCollection(folder);
  const data = new TableData(collection);
  const news = async () => {
    await collection.look({ monotonicMs: 0, nowMs: Date.now() });
    return (await data.news(Number.POSITIVE_INFINITY)).rows;
  };
  expect((await news()).map(({ id }) => id)).toEqual(['done']);
  expect(await news()).toEqual([]);

  await mkdir(join(run, 'evals'));
  const write = (name: string, text: string) => writeFile(join(run, 'evals', name), text);
  const line = { evaluation: 'knn', step: 3, time: 3, split: 'test', knnTop1: 0.75 };
  await write('knn.jsonl', `${JSON.stringify(line)}\n`);
  const [evaluated] = await news();
  expect(evaluated?.last).toMatchObject({ testKnnTop1: 0.75, loss: expect.any(Number) as number });
  expect(evaluated?.best['testKnnTop1']).toEqual({ step: 3, value: 0.75 });
  expect(await news()).toEqual([]);

  await write('torn.jsonl', 'torn\n');
  expect((await news())[0]?.problems).toEqual(['evals/torn.jsonl: 1 unreadable line, left out']);
});
