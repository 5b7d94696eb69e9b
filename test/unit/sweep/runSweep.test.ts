import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeRequest } from '../../../experiments/store/controlRequest.ts';
import { LivenessWatch } from '../../../experiments/store/liveness.ts';
import { schedulerOf } from '../../../experiments/store/readSweep.ts';
import { summariseRun } from '../../../experiments/store/summariseRun.ts';
import type { SweepRecord } from '../../../protocol/records.ts';
import { runSweep, type SweepOutcome } from '../../../runtime/sweep/runSweep.ts';
import { tell, writeFakeTrainer } from './fakeTrainer.ts';

let runs: string;
let script: string;
let stop: AbortController;

beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'sweep-'));
  script = writeFakeTrainer(runs);
  stop = new AbortController();
});
afterEach(() => rmSync(runs, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

const sweepFolder = () => join(runs, 'sweeps', 's');

function makeSweep(cells: number, slots: number): SweepRecord {
  mkdirSync(join(sweepFolder(), 'attempts'), { recursive: true });
  mkdirSync(join(sweepFolder(), 'cells'));
  const record: SweepRecord = {
    version: 1,
    id: 's',
    createdAt: '2026-01-01T00:00:00Z',
    base: 'tiny',
    axes: [{ key: 'loss.eps', values: Array.from({ length: cells }, (_, i) => i) }],
    seeds: [0],
    cells: Array.from({ length: cells }, (_, i) => ({ runId: `s-${i + 1}`, cell: { 'loss.eps': i }, seed: 0 })),
    metric: 'knnTop1',
    goal: 'maximise',
    slots,
  };
  for (const { runId } of record.cells) writeFileSync(join(sweepFolder(), 'cells', `${runId}.yaml`), 'seed: 0\n');
  writeFileSync(join(sweepFolder(), 'sweep.json'), JSON.stringify(record));
  return record;
}

function start(sweep: SweepRecord, only?: ReadonlySet<string>): Promise<SweepOutcome> {
  return runSweep(sweep, {
    ...(only && { only }),
    runsFolder: runs,
    simdino: [process.execPath, script],
    onMessage: () => undefined,
    signal: stop.signal,
    now: () => Date.now(),
    pollMs: 20,
  });
}

const calls = () =>
  (existsSync(join(runs, 'calls.txt')) ? readFileSync(join(runs, 'calls.txt'), 'utf8') : '').split('\n');
const stateOf = async (id: string) => (await summariseRun(join(runs, id), id, new LivenessWatch(), Date.now())).state;
const scheduler = () => schedulerOf(sweepFolder(), new LivenessWatch());
const ask = (action: 'pause' | 'continue' | 'stop') => writeRequest(sweepFolder(), action, 'test');

describe.skipIf(process.platform !== 'linux')('a sweep', () => {
  test('runs all cells, and a second time exactly those that failed, stopped or never were', async () => {
    const sweep = makeSweep(4, 2);
    tell(runs, 's-2', 'fail');
    expect(await start(sweep)).toEqual({ finished: 3, failed: 1, left: 0 });
    expect(calls().sort()).toEqual(['', 'train s-1', 'train s-2', 'train s-3', 'train s-4']);

    rmSync(join(runs, 's-4'), { recursive: true });
    rmSync(join(runs, 'calls.txt'));
    tell(runs, 's-2', 'finish');
    expect(await start(sweep)).toEqual({ finished: 4, failed: 0, left: 0 });
    expect(calls().sort()).toEqual(['', 'resume s-2', 'train s-4']);
    expect(await scheduler()).toBe('idle');
  });

  test('runs the cells that it is told and leaves the others', async () => {
    const sweep = makeSweep(4, 2);
    expect(await start(sweep, new Set(['s-2', 's-3']))).toEqual({ finished: 2, failed: 0, left: 0 });
    expect(calls().sort()).toEqual(['', 'train s-2', 'train s-3']);
    expect(await scheduler()).toBe('idle');
    expect(await start(sweep)).toEqual({ finished: 4, failed: 0, left: 0 });
  });

  test('that is paused lets the running cell finish and launches nothing more', async () => {
    const sweep = makeSweep(3, 1);
    tell(runs, 's-1', 'wait');
    const outcome = start(sweep);
    await expect.poll(() => stateOf('s-1').catch(() => ''), { timeout: 10_000 }).toBe('running');
    await ask('pause');
    await expect.poll(scheduler, { timeout: 5000 }).toBe('pausing');
    tell(runs, 's-1', 'finish');
    expect(await outcome).toEqual({ finished: 1, failed: 0, left: 2 });
    expect(await scheduler()).toBe('paused');
    expect(await stateOf('s-1')).toBe('finished');
    expect(calls()).toEqual(['train s-1', '']);
  });

  test('that was paused goes on when asked to while its cells still run', async () => {
    const sweep = makeSweep(2, 1);
    tell(runs, 's-1', 'wait');
    const outcome = start(sweep);
    await expect.poll(() => stateOf('s-1').catch(() => ''), { timeout: 10_000 }).toBe('running');
    await ask('pause');
    await expect.poll(scheduler, { timeout: 5000 }).toBe('pausing');
    await ask('continue');
    await expect.poll(scheduler, { timeout: 5000 }).toBe('running');
    tell(runs, 's-1', 'finish');
    expect(await outcome).toEqual({ finished: 2, failed: 0, left: 0 });
  });

  test('that is cancelled stops its cells too, and can be run on later', async () => {
    const sweep = makeSweep(2, 1);
    tell(runs, 's-1', 'wait');
    const outcome = start(sweep);
    await expect.poll(() => stateOf('s-1').catch(() => ''), { timeout: 10_000 }).toBe('running');
    await ask('stop');
    expect(await outcome).toEqual({ finished: 0, failed: 0, left: 2 });
    expect(await scheduler()).toBe('cancelled');
    expect(await stateOf('s-1')).toBe('stopped');

    tell(runs, 's-1', 'finish');
    expect(await start(sweep)).toEqual({ finished: 2, failed: 0, left: 0 });
    expect(calls()).toEqual(['train s-1', 'resume s-1', 'train s-2', '']);
  });

  test('is worked on by one scheduler at a time', async () => {
    const sweep = makeSweep(1, 1);
    tell(runs, 's-1', 'wait');
    const first = start(sweep);
    await expect.poll(() => stateOf('s-1').catch(() => ''), { timeout: 10_000 }).toBe('running');
    await expect(start(sweep)).rejects.toThrow(/is in use/);
    tell(runs, 's-1', 'finish');
    await first;
  });
});
