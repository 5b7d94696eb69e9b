/**
 * A disk that takes its time, as one of another continent does. It answers in rounds: all that was asked at once, when nothing
 * more is asked without an answer. So the rounds are the longest chain of calls that wait for one another.
 */
import { statSync } from 'node:fs';
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { currentProcess } from '../../../experiments/store/processIdentity.ts';
import { RunCollection } from '../../../experiments/store/runCollection.ts';
import { TableData } from '../../../experiments/store/tableData.ts';
import { PanelData } from '../../../extension/panels/panelData.ts';
import { aRecord, metricLines, temporaryFolder, writeRun } from './runFolders.ts';

interface Asked {
  call: () => Promise<unknown>;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}

const disk = vi.hoisted(() => ({
  isSlow: false,
  calls: 0,
  rounds: 0,
  asked: [] as Asked[],
  /** Called with the path of a file before it is read. */
  beforeRead: undefined as ((path: string) => Promise<void>) | undefined,
  /** Paths that were asked for in a way that holds up the process. */
  blocking: [] as string[],
  ask(call: Asked['call']): Promise<unknown> {
    if (!disk.isSlow) return call();
    disk.calls++;
    if (disk.asked.length === 0) setImmediate(() => void disk.answer());
    return new Promise((resolve, reject) => disk.asked.push({ call, resolve, reject }));
  },
  async answer(): Promise<void> {
    disk.rounds++;
    const round = disk.asked.splice(0);
    const answers = await Promise.allSettled(round.map(({ call }) => call()));
    for (const [i, answer] of answers.entries()) {
      if (answer.status === 'fulfilled') round[i]!.resolve(answer.value);
      else round[i]!.reject(answer.reason);
    }
  },
}));

vi.mock('node:fs/promises', async (importOriginal) => {
  const real: Record<string, unknown> = await importOriginal();
  type Call = (...args: unknown[]) => Promise<unknown>;
  const slow =
    (call: Call): Call =>
    async (...args) => {
      const result = await disk.ask(() => call(...args));
      return isHandle(result) ? slowHandle(result) : result;
    };
  const readFile: Call = async (...args) => {
    await disk.beforeRead?.(String(args[0]));
    return slow(real['readFile'] as Call)(...args);
  };
  const isHandle = (value: unknown): value is object => value?.constructor?.name === 'FileHandle';
  const slowHandle = (handle: object): unknown =>
    new Proxy(handle, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? slow((value as Call).bind(target)) : value;
      },
    });
  const changed = Object.entries(real).map(([name, value]) => [
    name,
    typeof value === 'function' ? slow(value as Call) : value,
  ]);
  return { ...(Object.fromEntries(changed) as Record<string, unknown>), readFile };
});

vi.mock('node:fs', async (importOriginal) => {
  const real: Record<string, unknown> = await importOriginal();
  type Call = (...args: unknown[]) => unknown;
  type Done = (error: unknown, data?: unknown) => void;
  const noted =
    (name: string, call: Call): Call =>
    (...args) => {
      disk.blocking.push(`${name} ${String(args[0])}`);
      return call(...args);
    };
  const readWhole = (path: unknown, encoding: unknown) =>
    new Promise((resolve, reject) =>
      (real['readFile'] as Call)(path, encoding, (error: Error | null, data: unknown) => {
        if (error) reject(error);
        else resolve(data);
      }),
    );
  // It opens, asks for the size, reads and closes; a file that is not there is not opened.
  const readFile = (path: unknown, encoding: unknown, done: Done): void => {
    const inSteps = async (): Promise<unknown> => {
      const text = await disk.ask(() => readWhole(path, encoding));
      for (const step of ['size', 'read', 'close']) await disk.ask(() => Promise.resolve(step));
      return text;
    };
    inSteps().then(
      (text) => done(null, text),
      (error: unknown) => done(error),
    );
  };
  const changed = Object.entries(real).map(([name, value]) => [
    name,
    name.endsWith('Sync') ? noted(name, value as Call) : value,
  ]);
  return { ...(Object.fromEntries(changed) as Record<string, unknown>), readFile };
});

const finished = { events: [{ type: 'finished', time: 2, step: 20 }], metrics: metricLines(1, 20) };
/** As many as are read side by side. */
const runCount = 64;
let runs: string;
beforeEach(async () => {
  runs = await temporaryFolder();
});
afterEach(async () => {
  Object.assign(disk, { isSlow: false, beforeRead: undefined });
  await rm(runs, { recursive: true });
});

let clockMs = 0;
const look = (collection: RunCollection) => collection.look({ monotonicMs: (clockMs += 1000), nowMs: Date.now() });

/** What `work` asks of the disk. */
async function cost(work: () => Promise<unknown>): Promise<{ calls: number; rounds: number }> {
  Object.assign(disk, { isSlow: true, calls: 0, rounds: 0 });
  await work();
  disk.isSlow = false;
  return { calls: disk.calls, rounds: disk.rounds };
}

describe('on a slow disk', () => {
  it('runs are listed side by side, what is not there is not asked for, and nothing else waits', async () => {
    for (let i = 0; i < runCount; i++) await writeRun(runs, `run-${i}`, [finished]);
    await writeFile(join(runs, 'run-1/annotations.json'), '{"star":true}');
    const collection = new RunCollection(runs);
    disk.blocking = [];
    const { calls, rounds } = await cost(() => look(collection));
    expect(collection.runs.size).toBe(runCount);
    expect(collection.runs.get('run-1')?.annotations).toEqual({ star: true });
    // Times and names of the folder (3), names of the attempts (1), and four files that are opened, measured, read and closed.
    expect(calls).toBeLessThanOrEqual(runCount * (3 + 1 + 4 * 4) + 10);
    // The time and the names of the folder of runs; of a run its time, its names, time and names of its attempts, a file of the last.
    expect(rounds).toBeLessThanOrEqual(2 + 2 + 2 + 4);

    const data = new PanelData(collection);
    const { series } = await data.snapshot(['run-1']);
    expect(series.find(({ metric }) => metric === 'loss')!.value).toHaveLength(20);
    expect((await data.summaries(['run-2', 'run-3'])).map(({ step }) => step)).toEqual([20, 20]);
    expect(new TableData(collection).snapshot()).toHaveLength(runCount);
    // A call that blocks would hold up the whole window, and with it every other extension.
    const blocking = () => disk.blocking.filter((call) => call.includes(runs));
    expect(blocking()).toEqual([]);
    statSync(runs);
    expect(blocking()).toEqual([`statSync ${runs}`]);
  });

  it('runs and grids that nothing works on are asked for their times alone', async () => {
    for (let i = 0; i < 10; i++) await writeRun(runs, `run-${i}`, [finished]);
    for (let i = 0; i < 10; i++)
      await writeRun(join(runs, 'sweeps'), `s-${i}`, [{ events: [{ type: 'finished', time: 2, step: 0 }] }]);
    for (let i = 0; i < 10; i++)
      await writeFile(join(runs, `sweeps/s-${i}/sweep.json`), JSON.stringify({ version: 1, cells: [] }));
    await mkdir(join(runs, '.queue'));
    const collection = new RunCollection(runs);
    await look(collection);
    expect(collection.sweeps.map(({ scheduler }) => scheduler)).toEqual(Array(10).fill('idle'));
    const { calls, rounds } = await cost(() => look(collection));
    // Of each the time of the folder and of its attempts; the folder of runs, that of sweeps and the queue beside them.
    expect(calls).toBeLessThanOrEqual(20 * 2 + 3);
    expect(rounds).toBeLessThanOrEqual(2);
  });

  it('a run that trains is read in no more steps than one that ended, but for its heartbeat', async () => {
    await writeRun(runs, 'live', [{ process: currentProcess(), metrics: metricLines(1, 20) }]);
    const collection = new RunCollection(runs);
    await look(collection);
    const { calls, rounds } = await cost(() => look(collection));
    expect(collection.runs.get('live')?.state).toBe('running');
    expect(calls).toBeLessThanOrEqual(3 + 1 + 4 * 4 + 1 + 10);
    expect(rounds).toBeLessThanOrEqual(2 + 2 + 2 + 4 + 1);
  });

  it('a new line of a run of several attempts waits for a dozen answers', async () => {
    const earlier = { events: [{ type: 'stopped', time: 1, step: 10 }], metrics: metricLines(1, 10) };
    const resumedFrom = { attempt: 1, step: 10 };
    const live = { process: currentProcess(), resumedFrom, metrics: metricLines(11, 20) };
    const folder = await writeRun(runs, 'live', [earlier, live]);
    const collection = new RunCollection(runs);
    await look(collection);
    const data = new PanelData(collection);
    await data.snapshot(['live']);
    await appendFile(join(folder, 'attempts/002/metrics.jsonl'), metricLines(21, 21));
    let news: Awaited<ReturnType<typeof data.news>>;
    const { rounds } = await cost(async () => (news = await data.news(['live'])));
    expect(news!.series.find(({ metric }) => metric === 'loss')).toMatchObject({
      from: 20,
      value: Float64Array.of(21),
    });
    // Of the state: names of the run and of its attempts, a file of the last, then its heartbeat. After that, the evaluations.
    expect(rounds).toBeLessThanOrEqual(2 + 4 + 4 + 1);
  });

  it('a run that ends while it is looked at has finished, not crashed', async () => {
    const gone = { ...currentProcess(), startTime: '1' };
    const folder = await writeRun(runs, 'r', [{ process: gone, metrics: metricLines(1, 20) }], aRecord('r'));
    disk.beforeRead = async (path) => {
      if (!path.endsWith('heartbeat')) return;
      await appendFile(join(folder, 'attempts/001/events.jsonl'), '{"type":"finished","time":2,"step":20}\n');
    };
    const collection = new RunCollection(runs);
    await look(collection);
    expect(collection.runs.get('r')).toMatchObject({ state: 'finished', outcome: { type: 'finished' } });
  });
});
