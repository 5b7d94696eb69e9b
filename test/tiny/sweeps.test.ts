/** Ablation grids through the built command line: every cell a run, and a second start does exactly what is left. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunRecord, SweepRecord } from '../../protocol/records.ts';
import { installationFolder } from '../../runtime/installation.ts';
import { linesOf, lossesOf, simdino, untilStep } from './simdino.ts';

let runs: string;
beforeAll(() => {
  runs = mkdtempSync(join(tmpdir(), 'sweeps-'));
});
afterAll(() => rmSync(runs, { recursive: true, force: true }));

const json = <T>(...path: string[]) => JSON.parse(readFileSync(join(runs, ...path), 'utf8')) as T;
const startsOf = (stderr: string) => stderr.match(/^\S+: (starting|resuming)/gm) ?? [];

test('a grid runs every cell; what went missing is done again, and nothing else', async () => {
  const file = join(installationFolder, 'configs', 'sweeps', 'tiny.yaml');
  const first = await simdino('sweep', file, '--runs-dir', runs, '--sweep-id', 'grid').finished;
  expect(first).toMatchObject({ code: 0 });
  expect(startsOf(first.stderr)).toHaveLength(4);
  const sweep = json<SweepRecord>('sweeps', 'grid', 'sweep.json');
  expect(sweep.cells.map(({ cell }) => Object.values(cell).length)).toEqual([2, 2, 2, 2]);
  for (const { runId, cell, seed } of sweep.cells) {
    expect(linesOf(join(runs, runId), '001', 'events.jsonl').at(-1)).toMatchObject({ type: 'finished' });
    expect(json<RunRecord>(runId, 'run.json').sweep).toEqual({ id: 'grid', cell, seed });
  }
  const finalLosses = sweep.cells.map(({ runId }) => [...lossesOf(join(runs, runId), '001').values()].at(-1));
  expect(new Set(finalLosses).size).toBe(4);

  rmSync(join(runs, 'grid-2'), { recursive: true });
  const second = await simdino('sweep', '--resume', 'grid', '--runs-dir', runs).finished;
  expect(second).toMatchObject({ code: 0 });
  expect(startsOf(second.stderr)).toEqual(['grid-2: starting']);
  expect([...lossesOf(join(runs, 'grid-2'), '001').values()].at(-1)).toBe(finalLosses[1]);
});

test('a grid that is stopped stops its cells politely; resumed, it continues them', async () => {
  const file = join(runs, 'long.yaml');
  writeFileSync(
    file,
    'base: tiny\nset: { train.epochs: 40, eval.knn.everyEpochs: 100 }\naxes: { loss.eps: [0.2, 0.4] }\nslots: 2\n',
  );
  const first = simdino('sweep', file, '--runs-dir', runs, '--sweep-id', 'stopped');
  await Promise.all(['stopped-1', 'stopped-2'].map((id) => untilStep(join(runs, id), '001', 3)));
  first.process.kill('SIGINT');
  expect((await first.finished).code).toBe(4);
  for (const id of ['stopped-1', 'stopped-2'])
    expect(linesOf(join(runs, id), '001', 'events.jsonl').at(-1)).toMatchObject({ type: 'stopped' });

  const second = await simdino('sweep', '--resume', 'stopped', '--runs-dir', runs).finished;
  expect(second).toMatchObject({ code: 0 });
  expect(startsOf(second.stderr).sort()).toEqual(['stopped-1: resuming', 'stopped-2: resuming']);
});

test('cells outlive a scheduler that is killed, and the next one waits for them', async () => {
  const file = join(runs, 'orphans.yaml');
  writeFileSync(file, 'base: tiny\nset: { train.epochs: 60, eval.knn.everyEpochs: 100 }\naxes: { loss.eps: [0.2] }\n');
  const first = simdino('sweep', file, '--runs-dir', runs, '--sweep-id', 'orphans');
  await untilStep(join(runs, 'orphans-1'), '001', 3);
  first.process.kill('SIGKILL');
  await first.finished;
  const before = lossesOf(join(runs, 'orphans-1'), '001').size;
  await sleep(500);
  expect(lossesOf(join(runs, 'orphans-1'), '001').size).toBeGreaterThan(before);
  const second = await simdino('sweep', '--resume', 'orphans', '--runs-dir', runs).finished;
  expect(second).toMatchObject({ code: 0 });
  expect(startsOf(second.stderr)).toEqual([]);
  expect(second.stderr).toMatch(/1 finished, 0 failed, 0 left/);
});

test('a sweep file with a wrong key is refused with its place', async () => {
  const file = join(runs, 'wrong.yaml');
  writeFileSync(file, 'base: tiny\naxes: { loss.epz: [0.2] }\n');
  const { code, stderr } = await simdino('sweep', file, '--runs-dir', runs).finished;
  expect(code).toBe(2);
  expect(stderr).toMatch(/wrong\.yaml:2:\d+ error: .*epz[^]*\^/);
});
