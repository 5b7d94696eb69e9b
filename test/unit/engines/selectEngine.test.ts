import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EngineName, EngineReport } from '../../../runtime/engines/devices/engineReport.ts';
import { machineReports } from '../../../runtime/engines/devices/machineReports.ts';
import { computesCorrectly, productGflops } from '../../../runtime/engines/devices/measureEngine.ts';
import { probeEngine } from '../../../runtime/engines/devices/probeEngine.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { fastest, selectEngine } from '../../../runtime/engines/selectEngine.ts';

let work: string;
beforeEach(() => (work = mkdtempSync(join(tmpdir(), 'simdino-engines-'))));
afterEach(() => rmSync(work, { recursive: true, force: true }));

const report = (engine: EngineName, more: Partial<EngineReport> = {}): EngineReport => ({
  engine,
  device: engine,
  verdict: 'works',
  reason: '',
  gflops: 100,
  ...more,
});

describe('auto', () => {
  test('takes the fastest that works, and says how the others compare', () => {
    const { report: best, reason } = fastest([report('onnx'), report('webgpu', { gflops: 5000.4 })]);
    expect(best.engine).toBe('webgpu');
    expect(reason).toBe('the fastest here at products of matrices: webgpu 5000, onnx 100 GFLOP/s');
    // Of two engines on one GPU, the one with the faster step whatever its products.
    const both = fastest([report('onnx'), report('webgpu', { gflops: 5000 }), report('dawn', { gflops: 4000 })]);
    expect(both.report.engine).toBe('dawn');
    const slow = fastest([report('onnx'), report('webgpu', { gflops: 50 }), report('dawn', { gflops: 40 })]);
    expect(slow.report.engine).toBe('onnx');
  });

  test('passes over software GPUs, faulty ones and those whose probe crashed', () => {
    for (const verdict of ['second choice', 'faulty', 'crashed', 'unavailable'] as const) {
      const { report: best, reason } = fastest([report('onnx'), report('webgpu', { verdict, gflops: 5000 })]);
      expect([best.engine, reason]).toEqual(['onnx', 'the only engine that works here']);
    }
  });
});

describe('an engine asked for', () => {
  test('is refused with the reason of its probe', async () => {
    const missing = report('webgpu', { verdict: 'unavailable', reason: 'no GPU was found' });
    await expect(selectEngine('webgpu', { reports: () => Promise.resolve([missing]) })).rejects.toMatchInlineSnapshot(
      `[SimdinoError: Engine 'webgpu' can't be used: no GPU was found. Set runtime.engine to one of: auto, onnx.]`,
    );
  });

  test('is tried again where it did not work before', async () => {
    const asked: (boolean | undefined)[] = [];
    const crashed = report('webgpu', { verdict: 'crashed', reason: 'its process ended (SIGSEGV)' });
    const reports = ({ refresh }: { refresh?: boolean }) => {
      asked.push(refresh);
      return Promise.resolve([crashed]);
    };
    await expect(selectEngine('webgpu', { reports })).rejects.toThrow(/SIGSEGV/);
    expect(asked).toEqual([undefined, true]);
  });

  test('the CPU engine starts without a probe', async () => {
    const reports = () => Promise.reject(new Error('probed'));
    const { engine, reason } = await selectEngine('onnx', { threads: 1, reports });
    expect([engine.name, engine.device, reason]).toEqual(['onnx', 'CPU, 1 thread', 'asked for']);
    await engine.dispose();
  });
});

describe('a probe', () => {
  const probing = (script: string, options: { patienceMs?: number } = {}) => {
    const entry = join(work, 'probe.mjs');
    writeFileSync(entry, script);
    return probeEngine('webgpu', { entry, ...options });
  };

  test('that crashes is a verdict, with the device that it had found and its last words', async () => {
    const found = await probing(
      `process.send({ engine: 'webgpu', device: 'a GPU', verdict: 'works', reason: '' }, () => {
         console.error('driver: fatal error in shader compiler');
         process.abort();
       });`,
    );
    expect(found).toMatchObject({ engine: 'webgpu', device: 'a GPU', verdict: 'crashed' });
    expect(found.reason).toContain('its process ended (SIGABRT): driver: fatal error in shader compiler');
  });

  test('that hangs is ended', async () => {
    const found = await probing('setInterval(() => {}, 1000);', { patienceMs: 500 });
    expect(found).toMatchObject({ verdict: 'crashed', reason: 'no answer in 0.5 s' });
  });

  test('that answers and leaves is believed', async () => {
    const answer = report('webgpu', { gflops: 7 });
    expect(await probing(`process.send(${JSON.stringify(answer)}, () => process.exit(0));`)).toEqual(answer);
  });
});

test('what was found out is remembered, until it is to be found out anew', async () => {
  const file = join(work, 'cache', 'engines.json');
  const probed: EngineName[] = [];
  const probe = (engine: EngineName) => {
    probed.push(engine);
    return Promise.resolve(report(engine));
  };
  const first = await machineReports({ file, probe });
  expect(probed).toEqual(['onnx', 'webgpu', 'dawn', 'tensorflow']);
  expect(existsSync(file)).toBe(true);
  expect(await machineReports({ file, probe })).toEqual(first);
  expect(probed).toHaveLength(4);
  await machineReports({ file, probe, engines: ['webgpu'], refresh: true });
  expect(probed).toEqual(['onnx', 'webgpu', 'dawn', 'tensorflow', 'webgpu']);
  writeFileSync(file, 'torn');
  await machineReports({ file, probe });
  expect(probed).toHaveLength(9);
});

test('the CPU engine multiplies correctly, at a speed', async () => {
  const engine = createOnnxEngine({ threads: 1 });
  expect(await computesCorrectly(engine)).toBe(true);
  expect(await productGflops(engine, 64)).toBeGreaterThan(0);
  await engine.dispose();
});
