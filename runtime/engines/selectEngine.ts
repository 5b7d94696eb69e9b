import { errors } from '../../protocol/errors.ts';
import { isUsable, type EngineName, type EngineReport } from './devices/engineReport.ts';
import { machineReports, type ReportOptions } from './devices/machineReports.ts';
import type { Collective, Engine } from './engine.ts';
import { createOnnxEngine } from './onnx/onnxEngine.ts';

/** What `runtime.engine` may say. */
export type EngineChoice = 'auto' | EngineName;

export interface EngineOptions {
  /** Of the CPU engine; absent: every core. */
  threads?: number;
  /** The processes that train together; only the CPU engine sums over them. */
  collective?: Collective;
  reports?: (options: ReportOptions) => Promise<EngineReport[]>;
}

export interface SelectedEngine {
  engine: Engine;
  /** Why this one, for the log: one clause. */
  reason: string;
}

/**
 * The engine asked for, or the fastest that works here. The CPU engine is there on every machine and is started without a probe;
 * what runs a driver is probed first, in a process of its own.
 *
 * @throws engineUnavailable with the reason
 */
export async function selectEngine(choice: EngineChoice, options: EngineOptions = {}): Promise<SelectedEngine> {
  const reportsOf = options.reports ?? machineReports;
  if (options.collective && choice !== 'onnx') {
    if (choice !== 'auto') throw errors.engineUnavailable(choice, 'it has no sums over processes', ['auto', 'onnx']);
    return { engine: createOnnxEngine(options), reason: 'the engine that sums over processes' };
  }
  if (choice === 'onnx') return { engine: createOnnxEngine(options), reason: 'asked for' };
  if (choice === 'auto') {
    const { report, reason } = fastest(await reportsOf({}));
    return { engine: await open(report, options), reason };
  }
  let [report] = await reportsOf({ engines: [choice] });
  // What was missing or broken then may be there now.
  if (report && !isUsable(report)) [report] = await reportsOf({ engines: [choice], refresh: true });
  if (!report || !isUsable(report))
    throw errors.engineUnavailable(choice, report?.reason ?? 'it was not probed', ['auto', 'onnx']);
  return { engine: await open(report, options), reason: ['asked for', report.reason].filter(Boolean).join('; ') };
}

/** The one with the fastest products, and how it compares. */
export function fastest(reports: readonly EngineReport[]): { report: EngineReport; reason: string } {
  const all = reports.filter(({ verdict, gflops }) => verdict === 'works' && gflops !== undefined);
  // On the same GPU a product says too little: `dawn` runs a step's hundreds of small kernels as few, and is several times as fast.
  const hasDawn = all.some(({ engine }) => engine === 'dawn');
  const working = all.filter(({ engine }) => engine !== 'webgpu' || !hasDawn).sort((a, b) => b.gflops! - a.gflops!);
  const [best, ...others] = working;
  if (!best) {
    const onnx = reports.find(({ engine }) => engine === 'onnx');
    throw errors.engineUnavailable('auto', onnx ? onnx.reason : 'no engine works on this machine', ['onnx']);
  }
  if (others.length === 0) return { report: best, reason: 'the only engine that works here' };
  const speeds = working.map(({ engine, gflops }) => `${engine} ${Math.round(gflops!)}`).join(', ');
  return { report: best, reason: `the fastest here at products of matrices: ${speeds} GFLOP/s` };
}

async function open({ engine, adapter }: EngineReport, { threads }: EngineOptions): Promise<Engine> {
  switch (engine) {
    case 'onnx':
      return createOnnxEngine(threads === undefined ? {} : { threads });
    case 'webgpu': {
      const { createWebGpuEngine } = await import('./onnx/webgpuEngine.ts');
      return createWebGpuEngine(
        adapter ? { adapter: adapter.name, maxBindingBytes: adapter.limits.maxBindingBytes } : {},
      );
    }
    case 'dawn': {
      const { createDawnEngine } = await import('./dawn/dawnEngine.ts');
      return createDawnEngine({ ...(adapter ? { adapter: adapter.name } : {}), available: ['auto', 'onnx'] });
    }
    case 'tensorflow': {
      const { createTensorflowEngine } = await import('./tensorflow/tensorflowEngine.ts');
      return createTensorflowEngine(['auto', 'onnx']);
    }
  }
}
