import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { openGpuMeter, type GpuUse } from './gpuMeter.ts';

export interface ResourceMeter {
  /**
   * Memory and processor use of the trainer and its executor since the last sample, and what the GPU last did; what can't be
   * told is left out.
   */
  sample(): { memoryBytes?: number; cpuShare?: number } & GpuUse;
  /** Running mean of the step time, for the time left. */
  smoothedStepMs(stepMs: number): number;
  close(): Promise<void>;
}

/** Linux counts processor time in ticks of 10 ms on every platform that Node runs on. */
const ticksPerSecond = 100;
const pageBytes = 4096;

/** Measures this process, the executor's and its GPU. Systems without /proc tell only this process. */
export function createResourceMeter(
  executor: { pid: number; engine: string; device: string },
  openGpu = openGpuMeter,
): ResourceMeter {
  const executorPid = executor.pid;
  const gpu = openGpu({ ...executor, pids: [executorPid] });
  let last = { wallMs: performance.now(), cpuMs: processorMs(executorPid) };
  let smoothed: number | null = null;
  return {
    sample: () => {
      const now = { wallMs: performance.now(), cpuMs: processorMs(executorPid) };
      const elapsedMs = now.wallMs - last.wallMs;
      const cpuShare = elapsedMs > 0 ? (now.cpuMs - last.cpuMs) / elapsedMs : 0;
      last = now;
      return { memoryBytes: process.memoryUsage.rss() + residentBytes(executorPid), cpuShare, ...gpu.latest() };
    },
    smoothedStepMs: (stepMs) => {
      smoothed = smoothed === null ? stepMs : 0.95 * smoothed + 0.05 * stepMs;
      return smoothed;
    },
    close: () => gpu.close(),
  };
}

function processorMs(executorPid: number): number {
  const { user, system } = process.cpuUsage();
  const fields = readProc(`/proc/${executorPid}/stat`);
  if (!fields) return (user + system) / 1000;
  // Fields 14 and 15, counted after the command in parentheses, which may hold blanks.
  const after = fields.slice(fields.lastIndexOf(')') + 2).split(' ');
  return (user + system) / 1000 + ((Number(after[11]) + Number(after[12])) * 1000) / ticksPerSecond;
}

function residentBytes(executorPid: number): number {
  const fields = readProc(`/proc/${executorPid}/statm`);
  return fields ? Number(fields.split(' ')[1]) * pageBytes : 0;
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not Linux, or the executor has just ended.
    return null;
  }
}
