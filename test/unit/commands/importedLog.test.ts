/** Logs of other programs as runs, and what may not be done with those. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LivenessWatch } from '../../../experiments/store/liveness.ts';
import { readRunMetrics } from '../../../experiments/store/runMetrics.ts';
import { summariseRun } from '../../../experiments/store/summariseRun.ts';
import type { RunRecord } from '../../../protocol/records.ts';
import { run as evaluate } from '../../../runtime/commands/eval.ts';
import { run as exportNetwork } from '../../../runtime/commands/export.ts';
import { run as exportMetrics } from '../../../runtime/commands/exportMetrics.ts';
import { run as fork } from '../../../runtime/commands/fork.ts';
import { run as importLog } from '../../../runtime/commands/importLog.ts';
import { run as look } from '../../../runtime/commands/look.ts';
import { run as resume } from '../../../runtime/commands/resume.ts';
import { run as train } from '../../../runtime/commands/train.ts';
import { exampleRun } from '../interchange/exampleRun.ts';
import { readEvents } from '../interchange/tensorboardReader.ts';
import { temporaryFolder } from '../store/runFolders.ts';
import { said } from './said.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const inFolder = (run: (args: string[]) => Promise<number>, ...args: string[]) =>
  said(run, ...args, '--runs-dir', folder);

/** A log of the authors' v1 tree: two epochs. */
function authorsLog(): string {
  const path = join(folder, 'log.txt');
  const epoch = (count: number, loss: number) =>
    JSON.stringify({ train_loss: loss, train_lr: 1e-3, train_wd: 0.04, epoch: count });
  writeFileSync(path, `${epoch(0, 10)}\n${epoch(1, 8)}\n`);
  return path;
}

const recordOf = (id: string) => JSON.parse(readFileSync(join(folder, id, 'run.json'), 'utf8')) as RunRecord;

/** Every file of a run with its content. */
function contentsOf(id: string): Record<string, string> {
  const run = join(folder, id);
  const files = readdirSync(run, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'latin1')]),
  );
}

describe('simdino import log|tensorboard', () => {
  it('makes a finished run of the authors\u2019 log, in steps of its configuration', async () => {
    const { code, text } = await inFolder(
      ...([importLog, 'log', authorsLog(), '--run-id', 'old', '--config', 'tiny', '--train-images', '64'] as const),
    );
    expect({ code, text }).toEqual({
      code: 0,
      text: `${join(folder, 'old')} (authors\u2019 log (v1), 2 lines)\n`,
    });
    const { table } = await readRunMetrics(join(folder, 'old'));
    // Batches of 16.
    expect([...table.step]).toEqual([4, 8]);
    expect([...table.series('loss').values]).toEqual([10, 8]);
    const { state, problems } = await summariseRun(join(folder, 'old'), 'old', new LivenessWatch(), Date.now());
    expect({ state, problems }).toEqual({ state: 'finished', problems: [] });
    expect(recordOf('old')).toMatchObject({ totalSteps: 8, stepsPerEpoch: 4, trainImages: 64 });
  });

  it('names a run after the folder that the log lies in', async () => {
    const { text } = await inFolder(importLog, 'log', authorsLog());
    expect(text).toContain(join(folder, folder.split('/').at(-1)!));
  });

  it('takes back what it exported', async () => {
    await exampleRun(folder);
    const exported = await inFolder(exportMetrics, 'tensorboard', 'example', '-o', join(folder, 'events'));
    expect(exported.text).toMatch(/\(9 scalars, 6 images\)\n$/);
    const [path] = exported.text.split(' (');
    expect(
      readEvents(path!)
        .flatMap(({ values }) => values)
        .filter(({ tag }) => tag === 'loss'),
    ).toHaveLength(4);
    await inFolder(importLog, 'tensorboard', join(folder, 'events', 'example'), '--run-id', 'back');
    const csv = await inFolder(exportMetrics, 'csv', 'example', 'back', '-o', join(folder, 'both.csv'));
    expect(csv.text).toMatch(/^.*both\.csv \(\d+ lines, \d+ metrics\)\n$/);
    const lines = readFileSync(join(folder, 'both.csv'), 'utf8').trim().split(/\r?\n/);
    const losses = (run: string) =>
      lines
        .map((line) => line.split(','))
        .filter(([name]) => name === run)
        .map((cells) => cells[lines[0]!.split(',').indexOf('loss')])
        .filter((cell) => cell !== '');
    expect(losses('example')).toHaveLength(4);
    expect(losses('back')).toEqual(losses('example'));
    const parquet = await inFolder(exportMetrics, 'parquet', 'back', '-o', join(folder, 'back.parquet'));
    expect(parquet.code).toBe(0);
    expect(readFileSync(join(folder, 'back.parquet')).subarray(0, 4).toString()).toBe('PAR1');
  });

  it.each([
    [['log'], 'takes log or tensorboard, and a path'],
    [['log', 'nowhere.txt'], 'nowhere.txt can\u2019t be imported: there is no such file'.replace('\u2019', "'")],
    [['csv', 'a.csv'], "takes log or tensorboard, got 'csv'"],
    [['log', 'a', '--train-images', 'many'], "--train-images takes a whole number, got 'many'"],
    [['tensorboard', 'nowhere'], "nowhere can't be imported"],
  ])('%j is refused', async (args, sentence) => {
    await expect(inFolder(importLog, ...args)).rejects.toThrow(sentence);
  });

  it('takes no name twice', async () => {
    await inFolder(importLog, 'log', authorsLog(), '--run-id', 'old');
    const before = contentsOf('old');
    await expect(inFolder(importLog, 'log', authorsLog(), '--run-id', 'old')).rejects.toThrow('is in use');
    await expect(inFolder(train, 'tiny', '--run-id', 'old')).rejects.toThrow('is in use');
    expect(contentsOf('old')).toEqual(before);
  });
});

describe('simdino export tensorboard|csv|parquet', () => {
  it.each([
    [['csv'], 'takes tensorboard, csv or parquet, and the names of runs'],
    [['csv', 'nobody'], "No run 'nobody' in"],
    [['csv', '../escape'], "No run '../escape' in"],
    [['xls', 'example'], "takes tensorboard, csv or parquet, got 'xls'"],
  ])('%j is refused', async (args, sentence) => {
    await exampleRun(folder);
    await expect(inFolder(exportMetrics, ...args)).rejects.toThrow(sentence);
  });
});

describe('an imported log', () => {
  const known = ['--config', 'tiny', '--train-images', '64'];

  it.each([
    ['with its configuration', known, 'Start a new run with its configuration: `simdino fork old`.'],
    ['without', [], 'Its configuration is not known: start a new run from a configuration file or a preset.'],
  ])('%s is not trained over, looked at, or evaluated', async (_, options, remedy) => {
    const path = authorsLog();
    await inFolder(importLog, 'log', path, '--run-id', 'old', ...options);
    const before = contentsOf('old');
    const sentence = `Run 'old' was imported from the log ${path} and is read only: it has curves, and no network to go on from. ${remedy}`;
    const ways: [run: (args: string[]) => Promise<number>, ...args: string[]][] = [
      [resume, 'old'],
      [resume, 'old', '--from', '0'],
      // What a job of a cluster does.
      [resume, '--here', 'old'],
      [fork, 'old', '--at', 'last'],
      [fork, 'old', '--at', '4'],
      [train, 'tiny', '--parent', 'old:4'],
      [look, 'old'],
      [evaluate, 'old', '--untrained'],
      [exportNetwork, 'old', '-o', join(folder, 'network.pth')],
      ...(options.length === 0 ? [[fork, 'old'] as [typeof fork, string]] : []),
    ];
    for (const way of ways) await expect(inFolder(...way), way.slice(1).join(' ')).rejects.toThrow(sentence);
    expect(contentsOf('old')).toEqual(before);
  });
});
