import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { RunRecord } from '../../protocol/records.ts';
import { lossesOf, simdino } from './simdino.ts';

const runs = mkdtempSync(join(tmpdir(), 'simdino-imported-'));
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
