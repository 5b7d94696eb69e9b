/** The use of the GPU that a run trains on, against a stand-in for NVIDIA's library. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricInfo } from '../../../experiments/compare.ts';
import { formatMetric } from '../../../experiments/formatMetric.ts';
import { openGpuMeter, type GpuMeter } from '../../../runtime/run/gpuMeter.ts';
import { openNvml, type NvmlDevice } from '../../../runtime/run/nvml.ts';
import { createResourceMeter } from '../../../runtime/run/resourceMeter.ts';
import { findCompiler } from '../../host/compiler.ts';

const onGpu = { engine: 'webgpu', device: 'NVIDIA Fake 2000', pids: [4711] };

/** Waits until something was measured. */
async function measured(meter: GpuMeter) {
  await expect.poll(() => Object.keys(meter.latest()).length).toBeGreaterThan(0);
  const latest = meter.latest();
  await meter.close();
  return latest;
}

function device(name: string, share: number | null, bytes: number | null, pids: number[] = []): NvmlDevice {
  return {
    name,
    processes: () => Promise.resolve(pids),
    busyShare: () => Promise.resolve(share),
    usedBytes: () => Promise.resolve(bytes),
  };
}
const nvmlOf =
  (...devices: NvmlDevice[]) =>
  () =>
    Promise.resolve({ devices, close: () => undefined });

describe('the GPU of a run', () => {
  it('is the one with its processes, else the one of its name, else the busiest that it may be', async () => {
    const named = [device('NVIDIA Fake 1000', 0.9, 9), device('NVIDIA Fake 2000', 0.3, 3)];
    expect(await measured(openGpuMeter(onGpu, nvmlOf(...named)))).toEqual({ gpuShare: 0.3, gpuMemoryBytes: 3 });
    const hosting = [device('NVIDIA Fake 1000', 0.2, 2, [4711]), named[1]!];
    expect(await measured(openGpuMeter(onGpu, nvmlOf(...hosting)))).toEqual({ gpuShare: 0.2, gpuMemoryBytes: 2 });
    const dawn = { ...onGpu, engine: 'dawn' };
    expect(await measured(openGpuMeter(dawn, nvmlOf(...named)))).toEqual({ gpuShare: 0.3, gpuMemoryBytes: 3 });
    const cuda = { engine: 'tensorflow', device: 'CUDA, TensorFlow 2.11', pids: [1] };
    expect(await measured(openGpuMeter(cuda, nvmlOf(...named)))).toEqual({ gpuShare: 0.9, gpuMemoryBytes: 9 });
  });

  it('tells of memory alone where the device does not tell how busy it is', async () => {
    const meter = openGpuMeter(onGpu, nvmlOf(device('NVIDIA Fake 2000', null, 5)));
    expect(await measured(meter)).toEqual({ gpuMemoryBytes: 5 });
  });

  it('is not measured on the CPU, on an adapter of another vendor, without a library, or when the driver fails', async () => {
    let opened = 0;
    const counting = () => {
      opened++;
      return nvmlOf(device('NVIDIA Fake 1000', 0.9, 9))();
    };
    const idle = async (trainedBy: typeof onGpu, open: Parameters<typeof openGpuMeter>[1] = counting) => {
      const meter = openGpuMeter(trainedBy, open);
      await meter.close();
      return meter.latest();
    };
    expect(await idle({ engine: 'onnx', device: 'CPU, 8 threads', pids: [1] })).toEqual({});
    expect(await idle({ engine: 'tensorflow', device: 'CPU, TensorFlow 4.22', pids: [1] })).toEqual({});
    expect(opened).toBe(0);
    const other = openGpuMeter({ ...onGpu, device: 'llvmpipe (LLVM 15)' }, counting);
    await expect.poll(() => opened).toBe(1);
    await other.close();
    expect(other.latest()).toEqual({});
    expect(await idle(onGpu, () => Promise.resolve(null))).toEqual({});
    expect(await idle(onGpu, () => Promise.reject(new Error('driver/library version mismatch')))).toEqual({});
  });

  it('never keeps a step waiting for the driver', async () => {
    const stuck = { ...device('NVIDIA Fake 2000', 1, 1), busyShare: () => new Promise<number>(() => undefined) };
    const meter = openGpuMeter(onGpu, nvmlOf(stuck));
    expect(meter.latest()).toEqual({});
    const resources = createResourceMeter({ pid: process.pid, engine: 'webgpu', device: '' }, () => meter);
    expect(resources.sample()).toMatchObject({ cpuShare: expect.any(Number) as number });
    const startedMs = performance.now();
    await resources.close();
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it('stands in the metrics of a step, and in words', () => {
    const gpu = { latest: () => ({ gpuShare: 0.73, gpuMemoryBytes: 5 * 2 ** 30 }), close: () => Promise.resolve() };
    const meter = createResourceMeter({ pid: process.pid, engine: 'webgpu', device: 'any' }, () => gpu);
    const sample = meter.sample();
    expect(sample).toMatchObject({ gpuShare: 0.73, gpuMemoryBytes: 5 * 2 ** 30 });
    expect(formatMetric('gpuShare', sample.gpuShare!)).toBe('73.0 %');
    expect(formatMetric('gpuMemoryBytes', sample.gpuMemoryBytes!)).toBe('5.0 GiB');
    expect(metricInfo('gpuShare').label).toBe('GPU use');
  });

  it('is absent where the library is absent or is none', async () => {
    expect(await openNvml({ SIMDINO_NVML: '/no/such/libnvidia-ml.so.1' })).toBeNull();
    expect(await openNvml({ SIMDINO_NVML: process.execPath })).toBeNull();
  });
});

const compiler = findCompiler();

describe.skipIf(compiler === undefined)('NVML from a compiled library', () => {
  let folder: string;
  let library: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'simdino-nvml-'));
    library = join(folder, 'libnvidia-ml.so.1');
    const source = join(import.meta.dirname, 'fakeNvml.c');
    execFileSync(compiler!, ['-shared', '-fPIC', '-o', library, source]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** In a process of its own: its environment is what the library goes by. */
  function latestUse(environment: Record<string, string>, device = 'NVIDIA Fake 1000'): unknown {
    const script = `
      const { openGpuMeter } = await import('./runtime/run/gpuMeter.ts');
      const meter = openGpuMeter({ engine: 'webgpu', device: ${JSON.stringify(device)}, pids: [4711] });
      for (let i = 0; i < 200 && Object.keys(meter.latest()).length === 0; i++) await new Promise((r) => setTimeout(r, 10));
      console.log(JSON.stringify(meter.latest()));
      await meter.close();
    `;
    const bundle = buildSync({
      stdin: { contents: script, resolveDir: process.cwd() },
      ...{ bundle: true, write: false, platform: 'node', format: 'esm', external: ['koffi'] },
    }).outputFiles[0]!.text;
    const output = execFileSync(process.execPath, ['--input-type=module'], {
      input: bundle,
      encoding: 'utf8',
      env: { ...process.env, SIMDINO_NVML: library, ...environment },
    });
    return JSON.parse(output);
  }

  it('is called as it is declared: names, processes, shares, bytes', () => {
    expect(latestUse({})).toEqual({ gpuShare: 0.99, gpuMemoryBytes: 7 * 2 ** 30 });
    expect(latestUse({ FAKE_NVML_PID: '4711' })).toEqual({ gpuShare: 0.73, gpuMemoryBytes: 5 * 2 ** 30 });
    expect(latestUse({ FAKE_NVML_MIG: '1' })).toEqual({ gpuMemoryBytes: 7 * 2 ** 30 });
    expect(latestUse({ FAKE_NVML_BROKEN: '1' })).toEqual({});
  });
});
