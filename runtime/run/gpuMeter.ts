import { setTimeout as sleep } from 'node:timers/promises';
import { openNvml, type Nvml, type NvmlDevice } from './nvml.ts';

export interface GpuUse {
  /** Busy share of the GPU that trains, 0 to 1. */
  gpuShare?: number;
  gpuMemoryBytes?: number;
}

export interface GpuMeter {
  /** What was measured last; nothing before the first measurement, and where nothing can be told. */
  latest(): GpuUse;
  close(): Promise<void>;
}

/** The driver averages over up to a second itself. */
const everyMs = 1000;
const giveUpAfterMs = 1000;

/**
 * Measures the GPU that a run trains on, once a second and beside the steps: a step is never kept waiting. A run on the CPU
 * has none; one whose GPU can't be told from others is given the busiest of those it may be.
 */
export function openGpuMeter(
  trainedBy: { engine: string; device: string; pids: readonly number[] },
  open: () => Promise<Nvml | null> = openNvml,
): GpuMeter {
  let latest: GpuUse = {};
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let nvml: Nvml | null = null;
  const measure = async (): Promise<void> => {
    const uses = await Promise.all((await devicesOf(nvml!.devices, trainedBy)).map(useOf));
    latest = uses.reduce<GpuUse>((a, b) => ((b.gpuShare ?? -1) > (a.gpuShare ?? -1) ? b : a), uses[0] ?? {});
  };
  const work = async (): Promise<void> => {
    try {
      nvml ??= await open();
      if (!nvml || closed) return;
      await measure();
      if (closed) return;
      timer = setTimeout(() => {
        working = work();
      }, everyMs).unref();
    } catch {
      // A driver that fails in between, at an update say: nothing is better than a number of before.
      latest = {};
    }
  };
  let working = isOnGpu(trainedBy) ? work() : Promise.resolve();
  return {
    latest: () => latest,
    close: async () => {
      closed = true;
      clearTimeout(timer);
      // A driver that hangs does not keep the run from ending.
      const answered = new AbortController();
      const late = sleep(giveUpAfterMs, false, { signal: answered.signal }).catch(() => false);
      const isDone = await Promise.race([working.then(() => true), late]);
      answered.abort();
      if (isDone) nvml?.close();
    },
  };
}

function isOnGpu({ engine, device }: { engine: string; device: string }): boolean {
  // TensorFlow is there for either.
  return engine !== 'onnx' && !device.startsWith('CPU');
}

async function useOf(device: NvmlDevice): Promise<GpuUse> {
  const [share, bytes] = await Promise.all([device.busyShare(), device.usedBytes()]);
  return { ...(share === null ? {} : { gpuShare: share }), ...(bytes === null ? {} : { gpuMemoryBytes: bytes }) };
}

/**
 * Those with the run's processes on them, else those of its adapter's name, else all that there are. An adapter of another
 * vendor leaves none: its use is not NVIDIA's to tell.
 */
async function devicesOf(
  all: readonly NvmlDevice[],
  { device, engine, pids }: { device: string; engine: string; pids: readonly number[] },
): Promise<readonly NvmlDevice[]> {
  const processes = await Promise.all(all.map((one) => one.processes()));
  const withOurs = all.filter((_, i) => processes[i]!.some((pid) => pids.includes(pid)));
  if (withOurs.length > 0) return withOurs;
  const named = all.filter(({ name }) => device.toLowerCase().includes(name.toLowerCase()));
  if (named.length > 0) return named;
  // `GPU` stands where the adapter's name could not be had.
  return engine === 'tensorflow' || device === 'GPU' || /nvidia/i.test(device) ? all : [];
}
