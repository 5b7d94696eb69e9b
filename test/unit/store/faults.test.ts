/** What a runs folder may do to whoever looks: nothing freezes, nothing is guessed, and what can't be read is named. */
import { appendFile, mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeAnnotations } from '../../../experiments/store/annotationsFile.ts';
import { BestValues } from '../../../experiments/store/bestValues.ts';
import { listRuns } from '../../../experiments/store/listRuns.ts';
import { LivenessWatch } from '../../../experiments/store/liveness.ts';
import { RunFeed } from '../../../experiments/store/runFeed.ts';
import { RunCollection } from '../../../experiments/store/runCollection.ts';
import { TableData } from '../../../experiments/store/tableData.ts';
import { checkToPanel } from '../../../protocol/checkPanelMessage.ts';
import { aRecord, metricLines, temporaryFolder, writeRun } from './runFolders.ts';

let runs: string;
beforeEach(async () => {
  runs = await temporaryFolder();
});
afterEach(() => rm(runs, { recursive: true, force: true }), 120_000);

const finished = { events: [{ type: 'finished', time: 2, step: 9 }] };
const metricsOf = (id: string) => join(runs, id, 'attempts/001/metrics.jsonl');

describe('a runs folder', () => {
  it('of ten thousand runs is listed, and after that costs what changes', { timeout: 120_000 }, async () => {
    const record = JSON.stringify(aRecord('x', { createdAt: '2020-01-01T00:00:00Z' }));
    for (let start = 0; start < 10_000; start += 500)
      await Promise.all(
        Array.from({ length: 500 }, async (_, i) => {
          await mkdir(join(runs, `run-${start + i}`));
          await writeFile(join(runs, `run-${start + i}`, 'run.json'), record);
        }),
      );
    const collection = new RunCollection(runs);
    expect((await collection.look({ monotonicMs: 0, nowMs: Date.now() })).changed).toHaveLength(10_000);
    await writeRun(runs, 'run-5', [finished]);
    collection.hint('run-5');
    const { changed } = await collection.look({ monotonicMs: 1000, nowMs: Date.now() });
    expect(changed).toMatchObject([{ id: 'run-5', state: 'finished' }]);
  });

  it('with a gigabyte of metrics is listed by the end of the file', async () => {
    await writeRun(runs, 'big', [{ ...finished, metrics: metricLines(1, 5) }]);
    await truncate(metricsOf('big'), 2 ** 30);
    await appendFile(metricsOf('big'), `\n${metricLines(6, 9)}`);
    const { runs: found } = await listRuns(runs);
    expect(found).toMatchObject([{ id: 'big', state: 'finished', latest: { step: 9, loss: 9 } }]);
  });

  it('with a gigabyte of metrics has its curves from the first line to the last', { timeout: 60_000 }, async () => {
    const folder = await writeRun(runs, 'big', [{ ...finished, metrics: metricLines(1, 5) }]);
    for (const [size, first] of [
      [2 ** 29, 6],
      [2 ** 30, 8],
    ] as const) {
      await truncate(metricsOf('big'), size);
      await appendFile(metricsOf('big'), `\n${metricLines(first, first + 1)}`);
    }
    const { series, summary } = await new RunFeed(folder, 'big', new LivenessWatch()).read(0);
    const loss = series.find(({ metric }) => metric === 'loss')!;
    expect([...loss.step]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(summary.problems).toEqual(['metrics.jsonl: 2 unreadable lines, left out']);
  });

  it('with NaN, infinities and garbage between its lines keeps the best of the others', async () => {
    const garbage = ['not json', '{"step":', '[1]', '"\u0000"', '{"loss":1}', '{"step":4,"loss":NaN}'];
    const text = `${metricLines(1, 3)}${garbage.join('\n')}\n{"step":5,"loss":-Infinity}\n{"step":6,"loss":"NaN"}\n`;
    await writeRun(runs, 'a', [{ ...finished, metrics: text }]);
    const values = new BestValues(join(runs, 'a'));
    await values.read();
    expect(values.best).toEqual({ loss: { value: 1, step: 1 } });
    expect(values.last['loss']).toBeNaN();
  });

  it('follows the best values as lines come, and over a resumption', async () => {
    const first = { metrics: metricLines(1, 9, (step) => (step === 8 ? 0 : step)) };
    await writeRun(runs, 'a', [first]);
    const values = new BestValues(join(runs, 'a'));
    await values.read();
    expect(values.best['loss']).toEqual({ value: 0, step: 8 });
    // Step 8 was taken again after a resumption at step 5: what it was before does not count.
    await writeRun(runs, 'a', [first, { resumedFrom: { attempt: 1, step: 5 }, metrics: metricLines(6, 7) }]);
    await values.read();
    expect(values.best['loss']).toEqual({ value: 1, step: 1 });
    await appendFile(join(runs, 'a/attempts/002/metrics.jsonl'), '{"step":8,"loss":-4}\n');
    await values.read();
    expect(values.best['loss']).toEqual({ value: -4, step: 8 });
  });

  it('of lines that are none has them counted, by the table of runs too', async () => {
    await writeRun(runs, 'a', [{ metrics: metricLines(1, 2) + 'garbage\n{"loss":1}\n' }]);
    const values = new BestValues(join(runs, 'a'));
    await values.read();
    expect(values.faultyLines).toBe(2);
    await appendFile(join(runs, 'a/attempts/001/metrics.jsonl'), '[]\n');
    await values.read();
    expect(values.faultyLines).toBe(3);
    const collection = new RunCollection(runs);
    await collection.look({ monotonicMs: 0, nowMs: Date.now() });
    const table = new TableData(collection);
    const { rows } = await table.news(10_000);
    expect(rows).toMatchObject([{ id: 'a', problems: ['metrics.jsonl: 3 unreadable lines, left out'] }]);
  });

  it('of a torn record guesses no state, in the table of runs either', async () => {
    await writeRun(runs, 'a', [], '{"version": 1, "half');
    const collection = new RunCollection(runs);
    await collection.look({ monotonicMs: 0, nowMs: Date.now() + 3_600_000 });
    const { rows } = await new TableData(collection).news(10_000);
    expect(rows).toMatchObject([{ id: 'a', state: 'unreadable', problems: ['run.json: it is no JSON'] }]);
    expect(checkToPanel({ type: 'table/append', rows, removed: [], progress: { read: 1, total: 1 } })).toMatchObject({
      ok: true,
    });
  });

  it('with a last line that does not say its epoch keeps the epoch before', async () => {
    const metrics = `${metricLines(1, 3)}{"step":4,"loss":1}\n`;
    const folder = await writeRun(runs, 'a', [{ ...finished, metrics }]);
    const { summary } = await new RunFeed(folder, 'a', new LivenessWatch()).read(Date.now());
    expect(summary).toMatchObject({ step: 4, epoch: 0.3 });
  });

  it('that can not be written keeps what people said before, and says why', async () => {
    const folder = await writeRun(runs, 'a', [finished]);
    await changeAnnotations(folder, { notes: 'before' });
    await rm(folder, { recursive: true });
    await expect(changeAnnotations(folder, { star: true })).rejects.toMatchObject({
      code: 'notesUnkept',
      message: expect.stringMatching(
        /notes can\u2019t be kept in .*annotations\.json: ENOENT.*nothing was changed/,
      ) as string,
    });
  });

  it('shows two windows the same, and what one of them writes', async () => {
    const folder = await writeRun(runs, 'a', [finished]);
    const windows = [new RunCollection(runs), new RunCollection(runs)];
    const look = async (monotonicMs: number) => {
      for (const window of windows) await window.look({ monotonicMs, nowMs: Date.now() });
    };
    await look(0);
    await changeAnnotations(folder, { star: true });
    await changeAnnotations(folder, { name: 'of the other window' });
    await look(1000);
    for (const window of windows)
      expect(window.runs.get('a')?.annotations).toEqual({ star: true, name: 'of the other window' });
  });

  it('of names in any script lists them, and passes over what is no name', async () => {
    for (const id of ['опыт-1', '試験', 'η.2', 'a b', '<img onerror=1>', '.hidden']) await mkdir(join(runs, id));
    const { runs: found, skipped } = await listRuns(runs);
    expect(found.map(({ id }) => id).sort()).toEqual(['η.2', 'опыт-1', '試験'].sort());
    expect(skipped.map(({ name }) => name).sort()).toEqual(['<img onerror=1>', 'a b']);
  });

  it('of a newer version is shown as far as this one knows it, and says so', async () => {
    await writeRun(runs, 'a', [finished], { ...aRecord('a'), version: 99 });
    const { runs: found } = await listRuns(runs);
    expect(found).toMatchObject([{ state: 'finished', problems: [expect.stringMatching(/newer version/)] }]);
  });
});
