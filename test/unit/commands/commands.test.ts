/** Commands that do what the editor's panels and menus do, over run folders made here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lineColours } from '../../../experiments/curveFigure.ts';
import { currentProcess, findProcessSync } from '../../../experiments/store/processIdentity.ts';
import { run as checkpoints } from '../../../runtime/commands/checkpoints.ts';
import { run as curve } from '../../../runtime/commands/curve.ts';
import { run as exportMetrics } from '../../../runtime/commands/exportMetrics.ts';
import { run as grids } from '../../../runtime/commands/grids.ts';
import { run as paper } from '../../../runtime/commands/paper.ts';
import { run as runsCommand } from '../../../runtime/commands/runs.ts';
import { run as stop } from '../../../runtime/commands/stop.ts';
import { contrast, parseColour } from '../../../webview/colour.ts';
import { aRecord, metricLines, temporaryFolder, writeRun } from '../store/runFolders.ts';
import { said } from './said.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const finished = { events: [{ type: 'finished', time: 1, step: 3 }] };
const knn = (step: number, top1: number) => `${JSON.stringify({ step, epoch: step / 10, time: 1, knnTop1: top1 })}\n`;

/** Three finished runs of two values of eps, one of which is archived, and one that failed. */
async function study(): Promise<void> {
  const make = async (id: string, eps: number, best: number, last: number, annotations?: object) => {
    const metrics = metricLines(1, 3) + knn(1, best) + knn(3, last);
    const path = await writeRun(folder, id, [{ ...finished, metrics }], aRecord(id, { seed: Number(id.at(-1)) }));
    writeFileSync(join(path, 'config.yaml'), `loss:\n  eps: ${eps}\ncheckpoint:\n  keep: 2\n`);
    if (annotations) writeFileSync(join(path, 'annotations.json'), JSON.stringify(annotations));
  };
  await make('a-1', 0.2, 0.7, 0.6);
  await make('a-2', 0.2, 0.8, 0.75, { name: 'the good one', tags: ['baseline'] });
  await make('b-1', 0.5, 0.5, 0.5);
  await make('c-1', 0.9, 0.99, 0.99, { archived: true });
}
const runs = (...args: string[]) => said(runsCommand, '--runs-dir', folder, ...args);
const namesOf = (text: string) =>
  text
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/)[0])
    .filter(Boolean);

describe('simdino runs', () => {
  beforeEach(study);

  it('filters and sorts as the table of the editor does', async () => {
    const { text } = await runs('--filter', 'state:finished loss.eps<0.6', '--sort', 'best:knnTop1:desc');
    expect(namesOf(text)).toEqual(['the good one', 'a-1', 'b-1']);
    expect(namesOf((await runs('--filter', 'baseline')).text)).toEqual(['the good one']);
    expect(namesOf((await runs('--filter', 'b-1', '--archived')).text)).toEqual(['b-1']);
    expect(namesOf((await runs('--sort', 'loss.eps:desc,seed', '--archived')).text)).toEqual([
      'c-1',
      'b-1',
      'a-1',
      'the good one',
    ]);
    expect((await runs('--filter', 'nothing like it')).text).toBe('No run matches.\n');
  });

  it('groups with means, and finds the best of each group', async () => {
    const grouped = await runs('--group', 'loss.eps', '--columns', 'best:knnTop1');
    expect(grouped.text).toMatch(/0\.2 \(2\) +75\.0 % ± \d+\.\d %/);
    const best = await runs('--best', 'knnTop1', '--group', 'loss.eps');
    expect(namesOf(best.text)).toEqual(['0.2 (2)', 'the good one', '0.5 (1)', 'b-1']);
    expect(namesOf((await runs('--best', 'knnTop1')).text)).toEqual(['the good one']);
    expect(namesOf((await runs('--best', 'knnTop1', '--archived')).text)).toEqual(['c-1']);
  });

  it('exports what it shows', async () => {
    const columns = ['--columns', 'seed,knnTop1,best:knnTop1'];
    const json = JSON.parse((await runs('--export', 'json', '--best', 'knnTop1', ...columns)).text) as unknown;
    expect(json).toEqual([{ run: 'a-2', name: 'the good one', seed: 2, 'last:knnTop1': 0.75, 'best:knnTop1': 0.8 }]);
    const csv = await runs('--export', 'csv', '--sort', 'seed', ...columns);
    expect(csv.text.split('\r\n')[0]).toBe('Run,Seed,k-NN top-1 (%),Best k-NN top-1 (%)');
    expect((await runs('--export', 'markdown', ...columns)).text).toContain(
      '| the good one | 2 | **75.0** | **80.0** |',
    );
    expect((await runs('--export', 'latex', ...columns)).text).toContain('\\toprule');
  });

  it('shows figures of evaluations after training, on other images than the run\u2019s own too', async () => {
    const write = (name: string, values: object) => {
      mkdirSync(join(folder, 'a-1', 'evals'), { recursive: true });
      const line = { time: 2, ...values };
      writeFileSync(join(folder, 'a-1', 'evals', `${name}.jsonl`), `${JSON.stringify(line)}\n`);
    };
    write('first', { evaluation: 'linear', step: 2, split: 'test', linearTop1: 0.625 });
    write('last', { evaluation: 'linear', step: 3, split: 'test', linearTop1: 0.5 });
    write('objects', { evaluation: 'maskCut', step: 3, split: 'validation', data: '/data/voc', maskAP50: 0.125 });
    const asked = ['--filter', 'a-1', '--columns', 'testLinearTop1,best:testLinearTop1,maskAP50 on /data/voc'];
    expect(JSON.parse((await runs('--export', 'json', ...asked)).text)).toEqual([
      {
        run: 'a-1',
        name: 'a-1',
        'last:testLinearTop1': 0.5,
        'best:testLinearTop1': 0.625,
        'last:maskAP50 on /data/voc': 0.125,
      },
    ]);
  });

  it('takes names with commas in quotes, and a figure on other data by its metric where there is but one', async () => {
    const write = (id: string, data: string, figures: object) => {
      mkdirSync(join(folder, id, 'evals'), { recursive: true });
      const line = { evaluation: 'video', step: 3, time: 2, split: 'validation', data, ...figures };
      writeFileSync(join(folder, id, 'evals', `${data.length}.jsonl`), `${JSON.stringify(line)}\n`);
    };
    write('a-1', '/data/a,"b"', { videoJF: 0.25, videoJ: 0.5 });
    write('a-2', '/data/davis', { videoJF: 0.75 });
    const quoted = '"videoJF on /data/a,""b"""';
    const csv = await runs('--export', 'csv', '--columns', `seed,${quoted}`, '--sort', `${quoted}:desc,seed`);
    expect(csv.text.split('\r\n')[0]).toBe('Run,Seed,"Video J&F on a,""b"" (%)"');
    expect(csv.text.split('\r\n')[1]).toBe('a-1,1,25');
    await expect(runs('--columns', 'seed,"videoJF')).rejects.toThrow(/a quote is not closed in 'seed,"videoJF'/);

    const alone = await runs('--export', 'json', '--best', 'videoJ', '--columns', 'videoJ');
    expect(JSON.parse(alone.text)).toEqual([{ run: 'a-1', name: 'a-1', 'last:videoJ on /data/a,"b"': 0.5 }]);
    expect(alone.errors).toBe(`'videoJ' is taken as 'videoJ on /data/a,"b"', the only one.\n`);
    const drawn = await said(curve, 'a-2', '--metric', 'videoJF', '--runs-dir', folder);
    expect(drawn.text).toContain('Video J&#38;F on davis');
    expect(drawn.errors).toBe(`'videoJF' is taken as 'videoJF on /data/davis', the only one.\n`);
    await expect(runs('--columns', 'videoJF')).rejects.toThrow(
      /No run has a column 'videoJF'; there are .*videoJF on \/data\/a,"b".*videoJF on \/data\/davis/,
    );
    await expect(said(curve, 'a-1', 'a-2', '--metric', 'videoJF', '--runs-dir', folder)).rejects.toThrow(
      /Nothing was logged as 'videoJF'; there are .*videoJF on \/data\/a,"b", videoJF on \/data\/davis/,
    );
  });

  it('says which columns and formats there are', async () => {
    await expect(runs('--sort', 'lss')).rejects.toThrow(/No run has a column 'lss'; there are name, state,.*last:loss/);
    await expect(runs('--export', 'xls')).rejects.toThrow('--export takes csv, markdown, latex, json');
    await expect(runs('--best', 'seed')).rejects.toThrow(/Neither way is better/);
    await expect(runs('--best', 'lss')).rejects.toThrow(/No run has a column 'lss'/);
  });

  it('without any of these, lists every run as before', async () => {
    const { text } = await runs();
    expect(text).toMatch(/^RUN +STATE +STEP/);
    expect(text).toContain('the good one (a-2)');
    expect(text).toContain('c-1');
  });
});

describe('simdino grids', () => {
  it('lists how far each is, and the cells of one', async () => {
    await study();
    const path = join(folder, 'sweeps', 'eps');
    mkdirSync(path, { recursive: true });
    const cells = [
      { runId: 'a-1', cell: { 'loss.eps': 0.2 }, seed: 0 },
      { runId: 'b-1', cell: { 'loss.eps': 0.5 }, seed: 0 },
      { runId: 'eps-3', cell: { 'loss.eps': 1 }, seed: 0 },
    ];
    const record = {
      ...{ version: 1, id: 'eps', createdAt: '2026-01-02T03:04:05.000Z', base: 'tiny', metric: 'knnTop1' },
      ...{ goal: 'maximise', slots: 1, axes: [{ key: 'loss.eps', values: [0.2, 0.5, 1] }], seeds: [0], cells },
    };
    writeFileSync(join(path, 'sweep.json'), JSON.stringify(record));
    const list = await said(grids, '--runs-dir', folder);
    expect(list.text).toMatch(/^eps +\w+ +2\/3 +0 +loss\.eps +1$/m);
    const one = await said(grids, 'eps', '--runs-dir', folder);
    expect(one.text).toMatch(/^a-1 +0\.2 +0 +finished +60\.0 %$/m);
    expect(one.text).toMatch(/^eps-3 +1 +0 +not started +-$/m);
    const json = JSON.parse((await said(grids, 'eps', '--runs-dir', folder, '--json')).text) as object[];
    expect(json[2]).toEqual({ run: 'eps-3', 'loss.eps': 1, seed: 0, state: null, knnTop1: null });
    await expect(said(grids, 'none', '--runs-dir', folder)).rejects.toThrow("There is no grid 'none'");
  });

  it('shows what a listed cell leaves to the base, and says what it could not read', async () => {
    await study();
    const path = join(folder, 'sweeps', 'list');
    mkdirSync(path, { recursive: true });
    const cells = [
      { runId: 'a-1', cell: { 'loss.eps': 0.2 }, seed: 0 },
      { runId: 'b-1', cell: { 'train.epochs': 2 }, seed: 0 },
    ];
    const axes = [
      { key: 'loss.eps', values: [0.2] },
      { key: 'train.epochs', values: [2] },
    ];
    const record = {
      ...{ version: 1, id: 'list', createdAt: '2026-01-02T03:04:05.000Z', base: 'tiny', metric: 'knnTop1' },
      ...{ goal: 'maximise', slots: 1, axes, seeds: [0], cells },
    };
    writeFileSync(join(path, 'sweep.json'), JSON.stringify(record));
    writeFileSync(join(folder, 'a-1', 'annotations.json'), '{"name": ');
    const one = await said(grids, 'list', '--runs-dir', folder);
    expect(one.text).toMatch(/^a-1 +0\.2 +- +0 /m);
    expect(one.text).toMatch(/^b-1 +- +2 +0 /m);
    expect(one.text).not.toContain('undefined');
    expect(one.errors).toMatch(/^a-1: annotations\.json: /m);
  });
});

describe('simdino curve', () => {
  it('draws a metric of runs as the panel exports it, raw lines under their averages', async () => {
    await writeRun(folder, 'a', [{ ...finished, metrics: metricLines(1, 200, (step) => 2 - step / 100) }]);
    await writeRun(folder, 'b', [{ ...finished, metrics: metricLines(1, 20, (step) => step / 10) }]);
    const path = join(folder, 'figures', 'loss.svg');
    const { text, code } = await said(curve, 'a', 'b', '--runs-dir', folder, '--out', path);
    expect([code, text]).toEqual([0, `${path}\n`]);
    const svg = readFileSync(path, 'utf8');
    expect(svg).toMatch(/^<svg[^>]*width="720" height="420"/);
    // Of b, whose points are few, there is no average.
    expect(svg.match(/<path[^>]*stroke-width="1"/g)).toHaveLength(1);
    expect(svg.match(/<path[^>]*stroke-width="1.75"/g)).toHaveLength(2);
    expect(svg).toContain('>Loss</text>');
    const plain = await said(curve, 'a', '--runs-dir', folder, '--smoothing', '0', '--axis', 'epoch', '--log');
    expect(plain.text).toContain('>epoch</text>');
    expect(plain.text.match(/<path[^>]*stroke="#/g)!.length).toBeGreaterThan(0);
    expect(plain.text).not.toContain('stroke-opacity');
  });

  it('writes a hostile name as text, and says what it can not draw', async () => {
    await writeRun(folder, 'a', [{ ...finished, metrics: metricLines(1, 3) }]);
    writeFileSync(join(folder, 'a', 'annotations.json'), JSON.stringify({ name: '<script>alert(1)</script>' }));
    expect((await said(curve, 'a', '--runs-dir', folder)).text).not.toContain('<script');
    const refused = (...args: string[]) => expect(said(curve, 'a', '--runs-dir', folder, ...args)).rejects;
    await refused('--metric', 'lss').toThrow("Nothing was logged as 'lss'; there are loss");
    await refused('--axis', 'day').toThrow('--axis takes step, epoch, time');
    await refused('--smoothing', '1').toThrow('--smoothing takes');
    await refused('--size', '9x9').toThrow('--size takes');
    await expect(said(curve, '../a', '--runs-dir', folder)).rejects.toThrow(/\.\.\/a/);
  });

  it('is of what could be read, and says what could not', async () => {
    const path = await writeRun(folder, 'a', [{ ...finished, metrics: metricLines(1, 3) }]);
    appendFileSync(join(path, 'attempts', '001', 'metrics.jsonl'), 'torn\n');
    const unread = 'a: metrics.jsonl: 1 unreadable line, left out\n';
    expect(await said(curve, 'a', '--runs-dir', folder)).toMatchObject({ code: 0, errors: unread });
    const table = join(folder, 'metrics.csv');
    expect((await said(exportMetrics, 'csv', 'a', '--runs-dir', folder, '-o', table)).errors).toBe(unread);
    const logs = join(folder, 'logs');
    expect((await said(exportMetrics, 'tensorboard', 'a', '--runs-dir', folder, '-o', logs)).errors).toBe(unread);
    const made = await said(paper, 'make', 'a', '--runs-dir', folder, '-o', join(folder, 'paper'), '--metric', 'loss');
    expect(made).toMatchObject({ code: 0, errors: unread });
  });

  it('has colours that stand out from paper', () => {
    const white = parseColour('#fff')!;
    for (const colour of lineColours) expect(contrast(parseColour(colour)!, white), colour).toBeGreaterThanOrEqual(3);
    expect(new Set(lineColours).size).toBe(10);
  });
});

describe('simdino checkpoints --now and stop --force', () => {
  const config = 'extends: tiny\n';

  it('asks a run that trains, and waits for the checkpoint', async () => {
    const path = await writeRun(folder, 'live', [{ process: currentProcess(), metrics: metricLines(1, 3) }]);
    writeFileSync(join(path, 'config.yaml'), config);
    const asked = said(checkpoints, 'live', '--now', '--runs-dir', folder, '--wait', '20');
    await expect
      .poll(() => requestOf(path))
      .toMatchObject({ action: 'checkpoint', by: expect.stringContaining('simdino') as string });
    const written = join(path, 'checkpoints', 'step-000003');
    mkdirSync(written, { recursive: true });
    const record = { version: 1, step: 3, epoch: 0.3, createdAt: '2026-01-02T03:04:05.000Z', metrics: {}, files: {} };
    writeFileSync(join(written, 'checkpoint.json'), JSON.stringify(record));
    expect(await asked).toMatchObject({ code: 0, text: 'step-000003\n' });
  });

  it('gives up after the time that it was given, and asks nobody who does not train', async () => {
    const live = await writeRun(folder, 'live', [{ process: currentProcess(), metrics: metricLines(1, 3) }]);
    const done = await writeRun(folder, 'done', [{ ...finished, metrics: metricLines(1, 3) }]);
    for (const path of [live, done]) writeFileSync(join(path, 'config.yaml'), config);
    const late = await said(checkpoints, 'live', '--now', '--wait', '0.3', '--runs-dir', folder);
    expect(late).toMatchObject({ code: 3, errors: expect.stringContaining('within 0.3 s') as string });
    const ended = await said(checkpoints, 'done', '--now', '--runs-dir', folder);
    expect(ended).toMatchObject({ code: 3, errors: 'done is not training: finished\n' });
    expect(requestOf(done)).toBeUndefined();
  });

  it('ends the processes of a run by force, and no others', async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' });
    const gone = once(child, 'exit');
    await once(child, 'spawn');
    const found = findProcessSync(child.pid!);
    const identity = {
      ...currentProcess(),
      pid: child.pid!,
      startTime: found.kind === 'present' ? found.startTime : '',
    };
    const path = await writeRun(folder, 'hangs', [{ process: identity, metrics: metricLines(1, 3) }]);
    const { code, errors } = await said(stop, 'hangs', '--force', '--runs-dir', folder);
    expect([code, errors]).toEqual([0, `hangs: ended ${child.pid}\nhangs: crashed\n`]);
    expect((await gone)[1]).toBe('SIGKILL');
    expect(requestOf(path)).toBeUndefined();
    // Its number may be another process's by then.
    await writeRun(folder, 'other', [{ process: { ...currentProcess(), startTime: '1' }, metrics: metricLines(1, 3) }]);
    const spared = await said(stop, 'other', '--force', '--runs-dir', folder);
    expect(spared).toMatchObject({ code: 0, errors: 'other is not running: crashed\n' });
  });
});

function requestOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(join(path, 'request.json'), 'utf8'));
  } catch {
    return undefined;
  }
}
