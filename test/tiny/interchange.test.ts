import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { RunRecord } from '../../protocol/records.ts';
import { readEvents } from '../unit/interchange/tensorboardReader.ts';
import { lossesOf, simdino } from './simdino.ts';

const runs = mkdtempSync(join(tmpdir(), 'simdino-interchange-'));
afterAll(() => rmSync(runs, { recursive: true, force: true, maxRetries: 5 }));

test('a log that was imported is not trained over; its configuration is trained as a new run', async () => {
  const log = join(runs, 'log.txt');
  writeFileSync(log, `${JSON.stringify({ train_loss: 9, train_lr: 1e-3, train_wd: 0.04, epoch: 0 })}\n`);
  const options = ['--config', 'tiny', '--train-images', '64', '--runs-dir', runs];
  expect((await simdino('import', 'log', log, '--run-id', 'old', ...options).finished).code).toBe(0);

  const resumed = await simdino('resume', 'old', '--runs-dir', runs).finished;
  expect(resumed.code).toBe(2);
  expect(resumed.stderr).toContain("Run 'old' was imported from the log");
  expect([...lossesOf(join(runs, 'old'), '001').values()]).toEqual([9]);
  expect(lossesOf(join(runs, 'old'), '002').size).toBe(0);

  const forked = await simdino('fork', 'old', '--run-id', 'new', '--runs-dir', runs).finished;
  expect(forked.code, forked.stderr).toBe(0);
  expect(lossesOf(join(runs, 'new'), '001').size).toBe(16);
  const record = JSON.parse(readFileSync(join(runs, 'new', 'run.json'), 'utf8')) as RunRecord;
  expect(record).toMatchObject({
    parent: { id: 'old', step: 0 },
    configSource: join(runs, 'old', 'config.yaml'),
  });
});

test('what was seen in a run goes to TensorBoard with its scalars', async () => {
  expect((await simdino('train', 'tiny', '--run-id', 'seen', '--runs-dir', runs).finished).code).toBe(0);
  const looked = await simdino('look', 'seen', '--images', '2', '--size', '32', '--runs-dir', runs).finished;
  expect(looked.code, looked.stderr).toBe(0);
  const exported = await simdino('export', 'tensorboard', 'seen', '-o', join(runs, 'logs'), '--runs-dir', runs)
    .finished;
  const [path] = exported.stdout.split(' (');
  const values = readEvents(path!).flatMap(({ step, values: own }) => own.map((value) => ({ step, ...value })));
  expect(values.filter(({ tag }) => tag === 'loss')).toHaveLength(16);
  const pictures = values.filter(({ png }) => png);
  expect(exported.stdout).toContain(`${pictures.length} images`);
  expect(new Set(pictures.map(({ step }) => step))).toEqual(new Set([16]));
  const kinds = pictures.map(({ tag }) => tag.split('/').at(-1));
  expect(kinds).toEqual(
    expect.arrayContaining(['sheet', 'neighbours', 'spectrum', 'image', 'attention', 'pca', 'masks']),
  );
});
