import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeRequest } from '../../../experiments/store/controlRequest.ts';
import { LivenessWatch } from '../../../experiments/store/liveness.ts';
import { cancelQueued, moveQueued, readQueue, setQueueLimit, takeQueued } from '../../../experiments/store/queue.ts';
import { summariseRun } from '../../../experiments/store/summariseRun.ts';
import { readConfigFile } from '../../../runtime/configFile.ts';
import { addToQueue } from '../../../runtime/queue/addToQueue.ts';
import { workQueue } from '../../../runtime/queue/workQueue.ts';
import { tell, writeFakeTrainer } from '../sweep/fakeTrainer.ts';

let runs: string;
let script: string;
let stop: AbortController;
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'queue-'));
  script = writeFakeTrainer(runs);
  stop = new AbortController();
});
afterEach(() => rmSync(runs, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));

const { config } = readConfigFile('tiny');
let clock = 0;
function add(id: string | { from: string }, device?: string): string {
  const createdAt = new Date(Date.UTC(2026, 0, 1) + 1000 * clock++).toISOString();
  return addToQueue({ id, runsFolder: runs, config, configSource: 'tiny.yaml', device, parent: null, createdAt }).runId;
}
const work = () =>
  workQueue({
    runsFolder: runs,
    simdino: [process.execPath, script],
    onMessage: () => undefined,
    signal: stop.signal,
    now: () => Date.now(),
    pollMs: 30,
  });
const queue = () => readQueue(runs, new LivenessWatch());
const line = async () => (await queue()).runs.map(({ runId, state }) => `${runId} ${state}`);
const stateOf = async (id: string) =>
  existsSync(join(runs, id)) ? (await summariseRun(join(runs, id), id, new LivenessWatch(), Date.now())).state : '';
const calls = () => (existsSync(join(runs, 'calls.txt')) ? readFileSync(join(runs, 'calls.txt'), 'utf8').trim() : '');

describe('a queue', () => {
  test('keeps runs in the order of their coming, until somebody moves one', async () => {
    for (const id of ['a', 'b', 'c', 'd']) add(id);
    expect(await line()).toEqual(['a waiting', 'b waiting', 'c waiting', 'd waiting']);
    const watch = new LivenessWatch();
    const order = async () => (await queue()).runs.map(({ runId }) => runId).join('');
    for (const [id, to, after] of [
      ['c', 'up', 'acbd'],
      ['a', 'down', 'cabd'],
      ['d', 'first', 'dcab'],
      ['d', 'last', 'cabd'],
      ['c', 'up', 'cabd'],
      ['d', 'down', 'cabd'],
    ] as const) {
      expect(await moveQueued(runs, id, to, watch)).toBe(true);
      expect(await order()).toBe(after);
    }
    expect(await moveQueued(runs, 'x', 'up', watch)).toBe(false);
  });

  test('names runs apart, from each other and from those that are there', () => {
    expect([add({ from: 'quick.yaml' }), add('quick-20260101-000009')]).toHaveLength(2);
    clock = 9;
    expect(add({ from: 'quick.yaml' })).toBe('quick-20260101-000009-2');
    expect(() => add('quick-20260101-000009')).toThrow(/waits in the queue/);
    expect(() => add('../x')).toThrow(/not a run name/);
    expect(readdirSync(join(runs, '.queue'))).toEqual(['entries']);
  });

  test('keeps the configuration as it was when the run was queued', () => {
    add('a');
    const text = readFileSync(join(runs, '.queue/entries/a/config.yaml'), 'utf8');
    expect(text).toContain(`epochs: ${config.train.epochs}`);
  });

  test('gives a run to the first who takes it: what was cancelled is not launched', async () => {
    add('a');
    const [entry] = (await queue()).runs;
    expect(await Promise.all([takeQueued(entry!.folder), takeQueued(entry!.folder)])).toContain(false);
    expect(await cancelQueued(runs, 'a')).toBe(false); // it was taken
    add('b');
    expect(await cancelQueued(runs, 'b')).toBe(true);
    expect(await cancelQueued(runs, 'b')).toBe(false);
    expect(await cancelQueued(runs, '../../etc')).toBe(false);
    expect((await queue()).runs.map(({ runId }) => runId)).toEqual(['a']);
  });

  test('of a broken entry says what is wrong', async () => {
    add('a');
    writeFileSync(join(runs, '.queue/entries/a/entry.json'), '{"half');
    expect((await queue()).runs).toMatchObject([{ runId: 'a', record: null, problems: [/entry.json/] }]);
  });
});

describe.skipIf(process.platform !== 'linux')('a scheduler of the queue', () => {
  test('launches as many on a device as its limit says, in order, and ends when nothing waits', async () => {
    for (const id of ['a', 'b', 'c']) add(id);
    tell(runs, 'a', 'wait');
    tell(runs, 'g', 'wait');
    add('g', 'gpu');
    const done = work();
    await expect.poll(() => stateOf('a'), { timeout: 10_000 }).toBe('running');
    await expect.poll(() => stateOf('g'), { timeout: 10_000 }).toBe('running'); // another device
    await expect.poll(line, { timeout: 5000 }).toEqual(['b waiting', 'c waiting']);
    expect((await queue()).scheduler).toBe('running');

    tell(runs, 'b', 'wait');
    tell(runs, 'c', 'wait');
    await setQueueLimit(runs, 'cpu', 3);
    await expect.poll(() => stateOf('c'), { timeout: 10_000 }).toBe('running');
    expect(await done).toBe('done');
    expect(calls().split('\n').sort()).toEqual(['train a', 'train b', 'train c', 'train g']);
    for (const id of ['a', 'b', 'c', 'g']) tell(runs, id, 'finish');
    await expect
      .poll(() => Promise.all(['a', 'b', 'c', 'g'].map(stateOf)), { timeout: 10_000 })
      .toEqual(Array(4).fill('finished'));
    expect(await queue()).toMatchObject({ runs: [], scheduler: 'idle' });
  });

  test('that is paused launches nothing more; what trains goes on, and another scheduler takes over', async () => {
    for (const id of ['a', 'b']) add(id);
    tell(runs, 'a', 'wait');
    const first = work();
    await expect.poll(() => stateOf('a'), { timeout: 10_000 }).toBe('running');
    await expect(work()).rejects.toThrow(/is in use/);
    await writeRequest(join(runs, '.queue/scheduler'), 'pause', 'test');
    expect(await first).toBe('paused');
    expect(await queue()).toMatchObject({ scheduler: 'paused', runs: [{ runId: 'b', state: 'waiting' }] });
    expect(await stateOf('a')).toBe('running');

    const second = work();
    tell(runs, 'a', 'finish');
    expect(await second).toBe('done');
    await expect.poll(() => stateOf('b'), { timeout: 10_000 }).toBe('finished');
    expect(calls()).toBe('train a\ntrain b');
  });

  test('launches again what a scheduler had taken that died before the run was there', async () => {
    add('a');
    const [entry] = (await queue()).runs;
    await takeQueued(entry!.folder);
    const gone = { pid: 1, startTime: '0', hostname: (await import('node:os')).hostname(), bootId: 'of another boot' };
    writeFileSync(join(entry!.folder, 'taken/taker.json'), JSON.stringify(gone));
    expect(await work()).toBe('done');
    expect(calls()).toBe('train a');
  });

  test('says which run could not be started, and that one can be taken out', async () => {
    add('a');
    writeFileSync(script, 'process.exit(2)');
    expect(await work()).toBe('done');
    expect(await line()).toEqual(['a failed']);
    expect(await cancelQueued(runs, 'a')).toBe(true);
    expect(await line()).toEqual([]);
  });
});
