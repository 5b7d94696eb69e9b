import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasMpi, simdinoUnder } from '../host/mpi.ts';
import { linesOf, lossesOf, simdino, untilStep } from './simdino.ts';

const runs = mkdtempSync(join(tmpdir(), 'simdino-parallel-'));
afterAll(() => rmSync(runs, { recursive: true, force: true, maxRetries: 5 }));

const quick = ['--set', 'runtime.threads=1', '--set', 'eval.knn.everyEpochs=4', '--set', 'model.dropPathRate=0.1'];
const train = (id: string) => ['train', 'tiny', '--runs-dir', runs, '--run-id', id, ...quick];

/** The largest difference of two curves, relative to losses of about 1. */
function apart(a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>): number {
  expect([...b.keys()]).toEqual([...a.keys()]);
  return Math.max(...[...a].map(([step, loss]) => Math.abs(loss - b.get(step)!)));
}

describe.skipIf(!hasMpi('openmpi'))('under OpenMPI', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    expect((await simdino(...train('alone')).finished).code).toBe(0);
  }, 110_000);

  test.each([2, 4])('%i processes have the losses of one', async (ranks) => {
    const { code, stderr } = await simdinoUnder('openmpi', ranks, ...train(`ranks${ranks}`)).finished;
    expect(code, stderr).toBe(0);
    const run = join(runs, `ranks${ranks}`);
    expect(apart(lossesOf(join(runs, 'alone'), '001'), lossesOf(run, '001'))).toBeLessThan(1e-4);
    expect(readFileSync(join(run, 'attempts', '001', 'log.txt'), 'utf8')).toContain(`process 1 of ${ranks}, Open MPI`);
  });

  test('a lost process ends the run with a checkpoint, which another number of processes resumes', async () => {
    const epochs = ['--set', 'train.epochs=12', '--set', 'checkpoint.everyEpochs=12'];
    expect((await simdino(...train('whole'), ...epochs).finished).code).toBe(0);
    const started = simdinoUnder('openmpi', 2, ...train('lost'), ...epochs);
    const run = join(runs, 'lost');
    await untilStep(run, '001', 6);
    const { process: first } = JSON.parse(readFileSync(join(run, 'attempts', '001', 'attempt.json'), 'utf8')) as {
      process: { pid: number };
    };
    const second = childrenOf(started.pid).find((pid) => pid !== first.pid)!;
    process.kill(second, 'SIGKILL');
    expect((await started.finished).code).not.toBe(0);
    const events = linesOf(run, '001', 'events.jsonl');
    expect(events.at(-1)).toMatchObject({ type: 'failed', code: 'rankLost' });
    const saved = events.findLast(({ type }) => type === 'checkpoint')!;
    expect(saved['step']).toBe(Math.max(...lossesOf(run, '001').keys()));

    const resumed = await simdinoUnder('openmpi', 4, 'resume', 'lost', '--runs-dir', runs).finished;
    expect(resumed.code, resumed.stderr).toBe(0);
    const both = new Map([...lossesOf(run, '001'), ...lossesOf(run, '002')]);
    expect(apart(lossesOf(join(runs, 'whole'), '001'), both)).toBeLessThan(1e-3);
  });

  test('SIGTERM to all stops all after the same step', async () => {
    const started = simdinoUnder('openmpi', 2, ...train('stopped'), '--set', 'train.epochs=400');
    const run = join(runs, 'stopped');
    await untilStep(run, '001', 3);
    expect((await simdino('stop', 'stopped', '--runs-dir', runs).finished).stderr).toContain('stopped: stopped');
    await started.finished;
    expect(linesOf(run, '001', 'events.jsonl').at(-1)).toMatchObject({ type: 'stopped' });
  });

  test('a batch that the processes can\u2019t share is refused', async () => {
    const { code, stderr } = await simdinoUnder('openmpi', 3, ...train('uneven')).finished;
    expect(code).not.toBe(0);
    expect(stderr).toContain("train.batchSize is 16, which 3 processes can't share evenly.");
  });
});

describe.skipIf(!hasMpi('openmpi') || !hasMpi('mpich'))('with the launcher of one library and another library', () => {
  test('processes that would each be alone are refused, and nothing is trained', { timeout: 60_000 }, async () => {
    const args = [...train('apart'), '--set', 'train.epochs=1'];
    process.env['SIMDINO_MPI'] = 'libmpich.so.12';
    const started = simdinoUnder('openmpi', 2, ...args);
    delete process.env['SIMDINO_MPI'];
    const { code, stderr } = await started.finished;
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/2 processes were started .* can't find each other: MPICH Version: \S+ knows of one\./);
    expect(lossesOf(join(runs, 'apart'), '001').size).toBe(0);
  });
});

describe.skipIf(!hasMpi('mpich'))('under MPICH', { timeout: 240_000 }, () => {
  test('2 processes have the losses of one', async () => {
    expect((await simdino(...train('one')).finished).code).toBe(0);
    const { code, stderr } = await simdinoUnder('mpich', 2, ...train('two')).finished;
    expect(code, stderr).toBe(0);
    expect(apart(lossesOf(join(runs, 'one'), '001'), lossesOf(join(runs, 'two'), '001'))).toBeLessThan(1e-4);
  });
});

function childrenOf(pid: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  return rows
    .map((row) => row.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child!);
}
