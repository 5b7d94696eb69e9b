/** A disk that takes its time, as one of another continent does: every call to it waits, and nothing but the answer waits with it. */
import { statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RunCollection } from '../../../experiments/store/runCollection.ts';
import { TableData } from '../../../experiments/store/tableData.ts';
import { PanelData } from '../../../extension/panels/panelData.ts';
import { aRecord, metricLines, temporaryFolder, writeRun } from './runFolders.ts';

const disk = vi.hoisted(() => ({ delayMs: 0, calls: 0, blocking: [] as string[] }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const real: Record<string, unknown> = await importOriginal();
  type Call = (...args: unknown[]) => Promise<unknown>;
  const slow =
    (call: Call): Call =>
    async (...args) => {
      disk.calls++;
      if (disk.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, disk.delayMs));
      const result = await call(...args);
      return isHandle(result) ? slowHandle(result) : result;
    };
  const isHandle = (value: unknown): value is object => value?.constructor?.name === 'FileHandle';
  const slowHandle = (handle: object): unknown =>
    new Proxy(handle, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? slow((value as Call).bind(target)) : value;
      },
    });
  return Object.fromEntries(
    Object.entries(real).map(([name, value]) => [name, typeof value === 'function' ? slow(value as Call) : value]),
  );
});

vi.mock('node:fs', async (importOriginal) => {
  const real: Record<string, unknown> = await importOriginal();
  type Call = (...args: unknown[]) => unknown;
  const noted =
    (name: string, call: Call): Call =>
    (...args) => {
      disk.blocking.push(`${name} ${String(args[0])}`);
      return call(...args);
    };
  const readFile: Call = (...args) => {
    disk.calls++;
    setTimeout(() => (real['readFile'] as Call)(...args), disk.delayMs);
  };
  const changed = Object.entries(real).map(([name, value]) => [
    name,
    name.endsWith('Sync') ? noted(name, value as Call) : value,
  ]);
  return { ...(Object.fromEntries(changed) as Record<string, unknown>), readFile };
});

const runCount = 60;
const delayMs = 40;
let runs: string;
beforeAll(async () => {
  runs = await temporaryFolder();
  for (let i = 0; i < runCount; i++)
    await writeRun(
      runs,
      `run-${i}`,
      [{ events: [{ type: 'finished', time: 2, step: 20 }], metrics: metricLines(1, 20) }],
      aRecord(`run-${i}`),
    );
  await writeFile(join(runs, 'run-1/annotations.json'), '{"star":true}');
  Object.assign(disk, { delayMs, calls: 0, blocking: [] });
});
afterAll(async () => {
  disk.delayMs = 0;
  await rm(runs, { recursive: true });
});

describe('on a slow disk', () => {
  it('runs are listed side by side, and nothing else waits for them', async () => {
    const collection = new RunCollection(runs);
    const startMs = performance.now();
    await collection.look({ monotonicMs: 0, nowMs: Date.now() });
    const waitedMs = performance.now() - startMs;
    expect(collection.runs.size).toBe(runCount);
    expect(collection.runs.get('run-1')?.annotations).toEqual({ star: true });
    expect(disk.calls * delayMs).toBeGreaterThan(4 * waitedMs);

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
});
