import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startExecutor, type Executor } from '../../../runtime/engines/executor/startExecutor.ts';
import { bundleExecutor } from './bundleExecutor.ts';

// Inside the checkout, where the child finds the native packages.
const folder = mkdtempSync(join(import.meta.dirname, '.executor-'));
const entry = join(folder, 'executor.mjs');
const open: Executor[] = [];

beforeAll(() => bundleExecutor(join(import.meta.dirname, 'countingExecutor.ts'), entry));
afterEach(async () => {
  await Promise.all(open.splice(0).map((executor) => executor.close()));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function start(
  spec: { size: number; fitsAfter?: number },
  more: { initialState?: Record<string, Float32Array> } = {},
) {
  const executor = await startExecutor({ entry, engine: 'onnx', threads: 1, spec, ...more });
  open.push(executor);
  return executor;
}

test('programs of one executor share its state', async () => {
  const executor = await start({ size: 4 });
  expect(executor).toMatchObject({
    engine: 'onnx',
    device: 'CPU, 1 thread',
    programs: ['add', 'hungry', 'mean', 'crash'],
  });
  expect(await executor.run('add', { words: Uint8Array.of(1, 2, 3, 4) })).toEqual({ sum: Float32Array.of(14) });
  // Both calls are on their way before the first is answered.
  const [sum, mean] = await Promise.all([
    executor.run('add', { words: new Uint8Array(4).fill(1) }),
    executor.run('mean', {}),
  ]);
  expect(sum).toEqual({ sum: Float32Array.of(18) });
  expect(mean).toEqual({ mean: Float32Array.of(4.5) });
  expect(await executor.readState()).toEqual({ total: Float32Array.of(3, 4, 5, 6), other: new Int32Array(3) });
});

test('state is read, written and given at the start', async () => {
  const executor = await start({ size: 2 }, { initialState: { total: Float32Array.of(5, 6) } });
  expect(await executor.readState(['total'])).toEqual({ total: Float32Array.of(5, 6) });
  await executor.writeState({ total: Float32Array.of(7, 8), other: Int32Array.of(1, 2, 3) });
  expect(await executor.run('mean', {})).toEqual({ mean: Float32Array.of(7.5) });
});

test('a view of shared memory travels, its surroundings do not', async () => {
  const executor = await start({ size: 2 });
  const ring = new SharedArrayBuffer(1024);
  const crop = new Uint8Array(ring, 512, 2);
  crop.set([10, 20]);
  expect(await executor.run('add', { words: crop })).toEqual({ sum: Float32Array.of(32) });
});

test('large state travels without blocking this process', async () => {
  const size = 24 * 2 ** 20;
  const executor = await start({ size });
  let turns = 0;
  const ticker = setInterval(() => turns++, 1);
  const { total } = await executor.readState(['total']);
  clearInterval(ticker);
  expect(total).toHaveLength(size);
  // One entry is one part: 96 MiB. While it was made and sent, this event loop went round.
  expect(turns).toBeGreaterThan(1);
}, 60_000);

test('errors of the child arrive as they were', async () => {
  const executor = await start({ size: 2 });
  await expect(executor.run('add', {})).rejects.toThrow('internal: engine: input "words" is missing.');
  await expect(executor.run('nothing', {})).rejects.toThrow('there are add, hungry, mean, crash');
});

test('programs that find no room are made smaller, and keep their state', async () => {
  const executor = await start({ size: 3, fitsAfter: 2 });
  await executor.run('add', { words: Uint8Array.of(1, 1, 1) });
  expect(await executor.run('hungry', {})).toEqual({ reductions: Float32Array.of(4) });
  expect(await executor.run('mean', {})).toEqual({ mean: Float32Array.of(2) });
});

test('lack of room that no smaller programs mend says what to set, and keeps the state', async () => {
  const executor = await start({ size: 3, fitsAfter: 9 });
  await expect(executor.run('hungry', {})).rejects.toMatchInlineSnapshot(
    `[SimdinoError: The onnx engine ran out of memory (bad_alloc: failed to allocate memory). Set runtime.microBatch to fewer images at a time (the result stays the same), or lower train.batchSize or crops.local.count.]`,
  );
  expect(await executor.run('mean', {})).toEqual({ mean: Float32Array.of(1) });
});

test('a crash of the child rejects what waits and what comes, with its last words', async () => {
  const executor = await start({ size: 2 });
  const waiting = Promise.allSettled([executor.run('crash', {}), executor.readState()]);
  for (const outcome of await waiting) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'executorCrashed' } });
    expect(String((outcome as PromiseRejectedResult).reason)).toMatch(/SIGABRT.*the last words/s);
  }
  await expect(executor.run('mean', {})).rejects.toMatchObject({ code: 'executorCrashed' });
});

test("the child ignores the terminal's Ctrl-C and ends with its parent's channel", async () => {
  const executor = await start({ size: 2 });
  process.kill(executor.pid, 'SIGINT');
  process.kill(executor.pid, 'SIGTERM');
  expect(await executor.run('mean', {})).toEqual({ mean: Float32Array.of(1) });
  await executor.close();
  expect(() => process.kill(executor.pid, 0)).toThrow('ESRCH');
  await expect(executor.run('mean', {})).rejects.toThrow('used after it was closed');
});
