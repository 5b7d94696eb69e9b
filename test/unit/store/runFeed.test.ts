import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LivenessWatch } from '../../../experiments/store/liveness.ts';
import { RunFeed } from '../../../experiments/store/runFeed.ts';
import { currentProcess } from '../../../experiments/store/processIdentity.ts';
import { checkToPanel } from '../../../protocol/checkPanelMessage.ts';
import { aRecord, metricLines, temporaryFolder, writeRun } from './runFolders.ts';

let runs: string;
beforeEach(async () => {
  runs = await temporaryFolder();
});
afterEach(() => rm(runs, { recursive: true }));

const feedOf = (folder: string) => new RunFeed(folder, 'r', new LivenessWatch());

describe('RunFeed', () => {
  it('gives everything first and then what was added', async () => {
    const folder = await writeRun(runs, 'r', [
      { process: currentProcess(), metrics: '{"step":0,"epoch":0,"time":900,"knnTop1":0.1}\n' + metricLines(1, 3) },
    ]);
    const feed = feedOf(folder);
    const first = await feed.read(0);
    expect(first.series.map(({ metric, from, step, value }) => [metric, from, [...step], [...value]])).toEqual([
      ['knnTop1', 0, [0], [0.1]],
      ['loss', 0, [1, 2, 3], [1, 2, 3]],
    ]);
    expect(first.summary).toMatchObject({
      id: 'r',
      name: 'r',
      state: 'running',
      step: 3,
      totalSteps: 100,
      last: { knnTop1: 0.1, loss: 3 },
      best: { knnTop1: { value: 0.1, step: 0 }, loss: { value: 1, step: 1 } },
    });
    expect((await feed.read(0)).series).toEqual([]);
    await appendFile(
      join(folder, 'attempts/001/metrics.jsonl'),
      metricLines(4, 4, () => -1),
    );
    const second = await feed.read(0);
    expect(second.series).toMatchObject([{ metric: 'loss', from: 3, value: Float64Array.of(-1) }]);
    expect(second.summary.best['loss']).toEqual({ value: -1, step: 4 });
    feed.restart();
    expect((await feed.read(0)).series.map(({ metric, from }) => [metric, from])).toEqual([
      ['knnTop1', 0],
      ['loss', 0],
    ]);
  });

  it('says what it could not read: of metrics, evaluations and records', async () => {
    const folder = await writeRun(runs, 'r', [{ metrics: metricLines(1, 2) + '?\n{"loss":1}\n' + metricLines(3, 3) }]);
    await mkdir(join(folder, 'evals'));
    await writeFile(join(folder, 'evals/knn.jsonl'), 'torn\n');
    await writeFile(join(folder, 'annotations.json'), '{');
    const feed = feedOf(folder);
    const { summary } = await feed.read(0);
    expect(summary.step).toBe(3);
    expect(summary.problems).toEqual([
      expect.stringMatching(/^annotations.json: /),
      'metrics.jsonl: 2 unreadable lines, left out',
      'evals/knn.jsonl: 1 unreadable line, left out',
    ]);
    await appendFile(join(folder, 'attempts/001/metrics.jsonl'), '\u0000\n');
    expect((await feed.read(0)).summary.problems).toContain('metrics.jsonl: 3 unreadable lines, left out');
  });

  it('guesses no state of a run whose record is torn', async () => {
    const folder = await writeRun(runs, 'r', [], '{"version": 1, "half');
    const { summary, series } = await feedOf(folder).read(0);
    expect(summary.state).toBe('unreadable');
    expect(checkToPanel({ type: 'curves/snapshot', runs: [summary], series, missing: [] })).toBeDefined();
  });

  it('estimates the remaining time from the last steps', async () => {
    const lines = Array.from({ length: 60 }, (_, step) => JSON.stringify({ step, time: step * 200, loss: 1 }) + '\n');
    const folder = await writeRun(runs, 'r', [{ process: currentProcess(), metrics: lines.join('') }]);
    expect((await feedOf(folder).read(0)).summary.etaMs).toBe((100 - 59) * 200);
  });

  it('sends the whole again when a new attempt supersedes points', async () => {
    const folder = await writeRun(runs, 'r', [{ metrics: metricLines(1, 9) }]);
    const feed = feedOf(folder);
    await feed.read(0);
    await writeRun(runs, 'r', [
      { metrics: metricLines(1, 9) },
      { metrics: metricLines(5, 5), resumedFrom: { attempt: 1, step: 4 } },
    ]);
    const { series, summary } = await feed.read(0);
    expect(series).toMatchObject([{ from: 0, step: Float64Array.of(1, 2, 3, 4, 5) }]);
    expect(summary.resumedAtSteps).toEqual([4]);
  });

  it('reads configuration, checkpoints and failure', async () => {
    const folder = await writeRun(runs, 'r', [
      { events: [{ type: 'failed', time: 1, step: 1, code: 'lossNotFinite', message: 'The loss became NaN.' }] },
    ]);
    await mkdir(join(folder, 'checkpoints/step-000010'), { recursive: true });
    await writeFile(
      join(folder, 'config.yaml'),
      'projector: {outputDim: 4}\ntrain: {batchSize: 8}\nloss: {eps: 1, codingRate: {groups: 1, normalise: group}}\n',
    );
    const { summary } = await feedOf(folder).read(0);
    expect(summary).toMatchObject({ state: 'failed', failure: 'The loss became NaN.', checkpointSteps: [10] });
    expect(summary.config['loss.codingRate.normalise']).toBe('group');
    expect(summary.codingRateCollapsed).toBeCloseTo(0.5 * Math.log(5), 12);
  });

  it('makes messages that panels take of hostile folders', async () => {
    const hostile = {
      ...aRecord('r'),
      totalSteps: 1.5,
      seed: '1e999',
      parent: { id: '../../x', step: 1 },
      sweep: { id: '<img>', cell: {}, seed: 0 },
      method: 'x'.repeat(100_000),
    };
    const folder = await writeRun(
      runs,
      'r',
      [{ metrics: '{"step":-4.5,"loss":1e999}\n{"step":1e300,"time":"NaN"}\n' }],
      JSON.stringify(hostile).replace('"1e999"', '1e999'),
    );
    await writeFile(join(folder, 'annotations.json'), JSON.stringify({ name: 'y'.repeat(9999), tags: ['<script>'] }));
    await writeFile(join(folder, 'config.yaml'), 'a: &a [*a]\n');
    const { summary, series } = await feedOf(folder).read(0);
    const checked = checkToPanel({ type: 'curves/snapshot', runs: [summary], series, missing: [] });
    expect(checked).toMatchObject({ ok: true });
  });
});
