import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRun } from '../../../experiments/store/readRun.ts';
import { readSweep, listSweeps } from '../../../experiments/store/readSweep.ts';
import { RunMetrics, readRunMetrics } from '../../../experiments/store/runMetrics.ts';
import { metricLines, temporaryFolder, writeRun } from './runFolders.ts';

let runs: string;
beforeEach(async () => {
  runs = await temporaryFolder();
});
afterEach(() => rm(runs, { recursive: true }));

describe('readRun', () => {
  it('reads everything of a whole folder', async () => {
    const folder = await writeRun(runs, 'r', [
      { events: [{ type: 'started', time: 1, step: 0 }] },
      { events: [{ type: 'finished', time: 2, step: 9, extra: 1 }], resumedFrom: { attempt: 1, step: 4 } },
    ]);
    const checkpoint = join(folder, 'checkpoints/step-000004');
    await mkdir(checkpoint, { recursive: true });
    await mkdir(join(folder, 'checkpoints/step-000008')); // being written: no checkpoint.json yet
    await writeFile(
      join(checkpoint, 'checkpoint.json'),
      JSON.stringify({ version: 1, step: 4, epoch: 1, files: { a: { bytes: 3, sha256: 'x' }, b: { bytes: 4 } } }),
    );
    await mkdir(join(folder, 'evals'));
    await writeFile(join(folder, 'evals/one.jsonl'), '{"evaluation":"knn","step":4,"split":"test","top1":0.5}\nbad\n');
    await writeFile(join(folder, 'annotations.json'), '{"name":"<b>","star":true,"tags":["a",1],"notes":5}');
    const run = await readRun(folder);
    expect(run.record?.id).toBe('r');
    expect(run.annotations).toEqual({ name: '<b>', star: true, tags: ['a'] });
    expect(run.attempts.map(({ index, record }) => [index, record?.resumedFrom])).toEqual([
      [1, null],
      [2, { attempt: 1, step: 4 }],
    ]);
    expect(run.events).toEqual([
      { type: 'started', time: 1, step: 0, attempt: 1 },
      { type: 'finished', time: 2, step: 9, attempt: 2 },
    ]);
    expect(run.checkpoints).toMatchObject([{ name: 'step-000004', bytes: 7 }]);
    expect(run.evaluations).toEqual([{ evaluation: 'knn', step: 4, time: 0, split: 'test', top1: 0.5 }]);
    expect(run.problems).toEqual(['evals/one.jsonl: 1 unreadable line, left out']);
  });

  it('reads a folder that is not there as empty, and says so', async () => {
    const run = await readRun(join(runs, 'gone'));
    expect(run).toMatchObject({ record: null, attempts: [], events: [], problems: ['run.json: missing'] });
  });
});

describe('RunMetrics', () => {
  const steps = (metrics: RunMetrics) => [...metrics.table.step];

  it('merges attempts as they follow from each other', async () => {
    const folder = await writeRun(runs, 'r', [
      { metrics: metricLines(1, 7, () => 1) },
      { metrics: metricLines(6, 8, () => 2), resumedFrom: { attempt: 1, step: 5 } },
    ]);
    const metrics = await readRunMetrics(folder);
    expect(steps(metrics)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...metrics.table.series('loss').values]).toEqual([1, 1, 1, 1, 1, 2, 2, 2]);
  });

  it('appends what is written and rebuilds when a new attempt opens', async () => {
    const folder = await writeRun(runs, 'r', [{ metrics: metricLines(1, 3) }]);
    const metrics = new RunMetrics(folder);
    expect(await metrics.read()).toEqual({ rebuilt: true, from: 0 });
    expect(await metrics.read()).toEqual({ rebuilt: false, from: 3 });
    await appendFile(join(folder, 'attempts/001/metrics.jsonl'), metricLines(4, 5));
    expect(await metrics.read()).toEqual({ rebuilt: false, from: 3 });
    expect(steps(metrics)).toEqual([1, 2, 3, 4, 5]);
    await writeRun(runs, 'r', [
      { metrics: metricLines(1, 5) },
      { metrics: metricLines(3, 3), resumedFrom: { attempt: 1, step: 2 } },
    ]);
    expect(await metrics.read()).toEqual({ rebuilt: true, from: 0 });
    expect(steps(metrics)).toEqual([1, 2, 3]);
  });

  it('continues before the first line of an attempt whose record is torn', async () => {
    const folder = await writeRun(runs, 'r', [{ metrics: metricLines(1, 7) }, { metrics: metricLines(4, 5) }]);
    await writeFile(join(folder, 'attempts/002/attempt.json'), '{"ver');
    expect(steps(await readRunMetrics(folder))).toEqual([1, 2, 3, 4, 5]);
  });

  it('keeps NaN, infinities and gaps apart, and counts what it can not use', async () => {
    const folder = await writeRun(runs, 'r', [
      {
        metrics:
          '{"step":1,"epoch":0.1,"time":5,"loss":"NaN"}\n{"step":2,"loss":Infinity,"note":"x"}\n{"loss":1}\n?\n' +
          '{"step":3,"knnTop1":0.5,"__proto__":1}\n{"step":4,"lo',
      },
    ]);
    const metrics = await readRunMetrics(folder);
    expect(steps(metrics)).toEqual([1, 2, 3]);
    expect([...metrics.table.series('loss').values]).toEqual([Number.NaN, Number.POSITIVE_INFINITY]);
    expect([...metrics.table.series('loss').rows]).toEqual([0, 1]);
    expect(metrics.table.latest('knnTop1')).toEqual({ value: 0.5, row: 2 });
    expect(metrics.table.series('none').values.length).toBe(0);
    expect(metrics.faultyLines).toBe(2);
  });
});

describe('readSweep', () => {
  it('reads cells and leaves out those whose run name is none', async () => {
    const folder = join(runs, 'sweeps/s');
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, 'sweep.json'),
      JSON.stringify({
        version: 1,
        id: 'other',
        axes: [{ key: 'loss.eps', values: [0.1, {}, 0.2] }, 5],
        seeds: [0, 'x'],
        cells: [
          { runId: 's-1', cell: { 'loss.eps': 0.1, bad: [] }, seed: 0 },
          { runId: '../../etc', cell: {}, seed: 0 },
        ],
        goal: 'maximise',
      }),
    );
    const sweep = await readSweep(folder);
    expect(sweep.record).toMatchObject({
      id: 's',
      axes: [{ key: 'loss.eps', values: [0.1, 0.2] }],
      seeds: [0],
      cells: [{ runId: 's-1', cell: { 'loss.eps': 0.1 }, seed: 0 }],
    });
    expect(sweep.problems).toEqual(['sweep.json: 1 cells have no valid run name']);
    expect((await listSweeps(runs)).map(({ id }) => id)).toEqual(['s']);
    expect(await listSweeps(join(runs, 'none'))).toEqual([]);
  });
});
