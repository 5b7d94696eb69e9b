import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EngineReport } from '../../runtime/engines/devices/engineReport.ts';
import { simdino } from './simdino.ts';

// What this machine's own cache remembers is neither read nor written.
let cache: string;
beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'simdino-devices-'));
  process.env['SIMDINO_CACHE'] = cache;
});
afterAll(() => {
  delete process.env['SIMDINO_CACHE'];
  rmSync(cache, { recursive: true, force: true });
});

test('every engine has a verdict, and the CPU trains everywhere', async () => {
  const { code, stdout } = await simdino('devices', '--json').finished;
  expect(code).toBe(0);
  const { engines } = JSON.parse(stdout) as { engines: EngineReport[] };
  expect(engines.map(({ engine }) => engine)).toEqual(['onnx', 'webgpu', 'dawn', 'tensorflow']);
  const [onnx, ...others] = engines;
  expect(onnx).toMatchObject({ verdict: 'works', reason: '' });
  expect(onnx!.gflops).toBeGreaterThan(0);
  for (const { verdict, reason } of others) if (verdict !== 'works') expect(reason).not.toBe('');
});

test('the time of a step, and the share of what the processor can do', async () => {
  const { code, stdout } = await simdino('bench', 'tiny', '--engine', 'onnx', '--steps', '3', '--json').finished;
  expect(code).toBe(0);
  const { step, engines } = JSON.parse(stdout) as {
    step: { gflop: number };
    engines: { medianMs: number; minMs: number; gflops: number; shareOfPeak: number }[];
  };
  expect(step.gflop).toBeGreaterThan(0);
  expect(engines).toHaveLength(1);
  const [timing] = engines;
  expect(timing!.minMs).toBeLessThanOrEqual(timing!.medianMs);
  expect(timing!.gflops).toBeCloseTo(step.gflop / (timing!.medianMs / 1000), 6);
  expect(timing!.shareOfPeak).toBeGreaterThan(0);

  const unknown = await simdino('bench', 'tiny', '--engine', 'cuda').finished;
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain("There is no engine 'cuda'; the engines are onnx, webgpu, dawn, tensorflow.");
});
