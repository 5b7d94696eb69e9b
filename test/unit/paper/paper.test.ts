import { appendFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isPaperManifestText } from '../../../experiments/paperManifest.ts';
import type { SweepRecord } from '../../../protocol/records.ts';
import { makePaper } from '../../../runtime/paper/makePaper.ts';
import type { PaperPlan } from '../../../runtime/paper/paperTables.ts';
import { verifyPaper } from '../../../runtime/paper/verifyPaper.ts';
import { aRecord, metricLines, temporaryFolder, writeRun } from '../store/runFolders.ts';

let work: string;
let runs: string;
let paper: string;
beforeEach(async () => {
  work = await temporaryFolder();
  runs = join(work, 'runs');
  paper = join(work, 'paper');
  for (const [i, eps] of [0.1, 0.1, 0.5, 0.5].entries()) {
    const id = `s-${i + 1}`;
    const cell = { 'loss.eps': eps };
    const record = aRecord(id, { seed: i % 2, sweep: { id: 's', cell, seed: i % 2 } });
    const metrics = metricLines(1, 40, (step) => eps + i / 100 + 1 / step);
    const folder = await writeRun(runs, id, [{ metrics, events: [{ type: 'finished', time: 2, step: 40 }] }], record);
    await writeFile(join(folder, 'config.yaml'), `seed: ${i % 2}\nloss:\n  eps: ${eps}\n`);
  }
  const sweep: SweepRecord = {
    version: 1,
    id: 's',
    createdAt: '2026-01-01T00:00:00Z',
    base: 'tiny',
    axes: [{ key: 'loss.eps', values: [0.1, 0.5] }],
    seeds: [0, 1],
    cells: [0.1, 0.1, 0.5, 0.5].map((eps, i) => ({ runId: `s-${i + 1}`, cell: { 'loss.eps': eps }, seed: i % 2 })),
    metric: 'loss',
    goal: 'minimise',
    slots: 1,
  };
  await mkdir(join(runs, 'sweeps', 's'), { recursive: true });
  await writeFile(join(runs, 'sweeps', 's', 'sweep.json'), JSON.stringify(sweep));
});
afterEach(() => rm(work, { recursive: true, force: true }));

const ofSweep: PaperPlan = {
  title: 'Ablation of eps',
  sweepId: 's',
  metrics: ['loss'],
  choose: 'last',
  runIds: ['s-1', 's-2', 's-3', 's-4'],
};
const make = (plan = ofSweep, withData = false) =>
  makePaper(runs, plan, { folder: paper, withData, createdAt: '2026-02-01T00:00:00Z' });
const read = (name: string, folder = paper) => readFile(join(folder, name), 'utf8');

describe('a paper', () => {
  test('of a sweep has its table with means over seeds, its heat map, and a manifest of what they follow from', async () => {
    const { runs: described } = (await make()).manifest;
    // None is the best: losses of different eps are not comparable.
    expect(await read('table.md')).toMatch(/\| 0.1 \| done \| 0\.1\d+ ±.*n = 2/);
    expect(await read('table.tex')).toContain('\\caption{Ablation of eps}');
    expect((await read('table.csv')).split('\r\n')).toHaveLength(4);
    expect(await read('figure.svg')).toMatch(/^<svg[^]*<\/svg>\n?$/);
    expect(described[0]).toMatchObject({ id: 's-1', seed: 0, cell: { 'loss.eps': 0.1 }, state: 'finished' });
    expect(Object.keys(described[0]!.files)).toEqual([
      'attempts/001/attempt.json',
      'attempts/001/events.jsonl',
      'attempts/001/metrics.jsonl',
      'config.yaml',
      'run.json',
    ]);
    expect(await verifyPaper(paper)).toMatchObject({ differences: [], filesVerified: 20 });
  });

  test('of a sweep that lists its cells has every run once, whatever each cell sets', async () => {
    const path = join(runs, 'sweeps', 's', 'sweep.json');
    const sweep = JSON.parse(await read(path, '')) as SweepRecord;
    const cells = [{ method: 'dino', 'optim.lr': 0.1 }, { method: 'simdino' }];
    sweep.axes = [
      { key: 'method', values: ['dino', 'simdino'] },
      { key: 'optim.lr', values: [0.1] },
    ];
    sweep.cells = sweep.cells.map((one, i) => ({ ...one, cell: cells[Math.floor(i / 2)]! }));
    await writeFile(path, JSON.stringify(sweep));
    await make();
    const rows = (await read('table.csv')).trim().split('\r\n').slice(1);
    expect(rows).toEqual([
      expect.stringMatching(/^dino,0\.1,done,[\d.]+,[\d.]+,2$/),
      expect.stringMatching(/^simdino,,done,[\d.]+,[\d.]+,2$/),
    ]);
  });

  test('is told from other files of the same name by what is in its manifest', async () => {
    await make();
    expect(isPaperManifestText(await read('manifest.json'))).toBe(true);
    for (const other of ['{"manifest_version":3,"name":"a web extension"}', '{"name":"app","icons":[]}', '[]', 'x', ''])
      expect(isPaperManifestText(other)).toBe(false);
  });

  test('of a choice of runs names its rows by what differs', async () => {
    await make({ ...ofSweep, sweepId: null, title: 'Two' });
    expect(await read('table.md')).toMatch(/\| loss.eps 0.5 \|/);
    expect(await read('figure.svg')).toContain('loss.eps 0.1, seed 1');
    expect((await verifyPaper(paper)).differences).toEqual([]);
  });

  test('has figures of evaluations after training, and refuses what no run or more than one figure has as its name', async () => {
    const track = async (data: string, videoJF: number) => {
      const line = { evaluation: 'video', step: 40, time: 3, split: 'validation', data, videoJF };
      await appendFile(join(runs, 's-1', 'evals', 'video.jsonl'), `${JSON.stringify(line)}\n`);
    };
    await mkdir(join(runs, 's-1', 'evals'));
    await track('/videos/davis', 0.625);
    const plan = { ...ofSweep, sweepId: null, title: 'Videos', runIds: ['s-1'] };
    await make({ ...plan, metrics: ['videoJF on /videos/davis'] });
    const table = await read('table.md');
    expect(table).toMatch(/Video J&F on davis \(%\)[^]*\| s-1 \| 62\.5 \|/);
    expect((await verifyPaper(paper)).differences).toEqual([]);
    // The only figure of that name; the manifest has the whole one.
    await make({ ...plan, metrics: ['videoJF'] });
    expect([await read('table.md'), JSON.parse(await read('manifest.json'))]).toMatchObject([
      table,
      { metrics: ['videoJF on /videos/davis'] },
    ]);
    await track('/videos/others', 0.5);
    await expect(make({ ...plan, metrics: ['loss', 'videoJF'] })).rejects.toThrow(
      /^No run has 'videoJF'; there are .*, videoJF on \/videos\/davis, videoJF on \/videos\/others\./,
    );
    await expect(make({ ...plan, metrics: ['videoJ'] })).rejects.toThrow(/^No run has 'videoJ'; there are/);
  });

  test('says which file of a run was changed, is missing or came later, and that the table is another one', async () => {
    await make();
    await appendFile(join(runs, 's-1/attempts/001/metrics.jsonl'), '{"step":41,"epoch":4.1,"time":1,"loss":9}\n');
    await rm(join(runs, 's-2/config.yaml'));
    await mkdir(join(runs, 's-3/evals'));
    await writeFile(join(runs, 's-3/evals/new.jsonl'), '');
    const { differences } = await verifyPaper(paper);
    expect(differences).toEqual([
      expect.stringMatching(/^s-1\/attempts\/001\/metrics.jsonl: changed/),
      's-2/config.yaml: missing',
      's-3/evals/new.jsonl: came later',
      'table.md: the raw metrics give another one',
      'table.tex: the raw metrics give another one',
      'table.csv: the raw metrics give another one',
      'figure.svg: the raw metrics give another one',
    ]);
  });

  test('notices a number that was improved by hand', async () => {
    await make();
    await writeFile(join(paper, 'table.md'), (await read('table.md')).replace('0.1', '0.0'));
    expect((await verifyPaper(paper)).differences).toEqual(['table.md: the file was changed']);
  });

  test('with its data is verified anywhere', async () => {
    await make(ofSweep, true);
    await cp(paper, join(work, 'elsewhere'), { recursive: true });
    await rm(runs, { recursive: true });
    expect(await verifyPaper(join(work, 'elsewhere'))).toMatchObject({ differences: [], filesVerified: 20 });
  });

  test('names runs that are gone, and refuses what is no manifest', async () => {
    await make();
    await rm(join(runs, 's-4'), { recursive: true });
    expect((await verifyPaper(paper)).differences).toEqual([expect.stringMatching(/^s-4: there is no such run/)]);
    await writeFile(join(paper, 'manifest.json'), '{"version": 99}');
    await expect(verifyPaper(paper)).rejects.toThrow(/no manifest/);
    await expect(make({ ...ofSweep, runIds: ['../x'] })).rejects.toThrow(/No run/);
  });
});
