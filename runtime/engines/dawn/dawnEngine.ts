import type { CompiledStep, Engine } from '../engine.ts';
import { DawnState } from './dawnState.ts';
import { compileDawnStep, type Pipelines } from './dawnStep.ts';
import { openDawn } from './device.ts';
import { KernelTimes } from './kernelTimes.ts';

export interface DawnOptions {
  /** Name of the adapter, for people. */
  adapter?: string;
  /** Engines to name where this one can't be used. */
  available: readonly string[];
  /** Fewer bytes than the adapter addresses in one array. */
  maxBindingBytes?: number;
  /** A path's beginning: a trace with the GPU's time of every kernel is written there in the end. */
  profileTo?: string;
}

/**
 * Steps as compute shaders of our own, written for each step and run by Dawn: what is elementwise is part of the kernel before or after
 * it, and state is updated where it lies. A driver's fault may end the process: training keeps it in a process of its own.
 *
 * @throws engineUnavailable
 */
export async function createDawnEngine({
  adapter = 'GPU',
  available,
  profileTo,
  maxBindingBytes = Infinity,
}: DawnOptions): Promise<Engine> {
  const opened = await openDawn(available, { exactTimes: profileTo !== undefined });
  const gpu = { ...opened, maxBindingBytes: Math.min(maxBindingBytes, opened.maxBindingBytes) };
  const times = profileTo === undefined ? undefined : new KernelTimes(gpu, profileTo);
  const pipelines: Pipelines = new Map();
  const steps = new Set<CompiledStep>();
  const states = new Set<DawnState>();
  return {
    name: 'dawn',
    device: adapter,
    createState(specs, values = {}, options = {}) {
      if (options.precision === 'float64') throw noDoubles();
      const state = new DawnState(gpu, specs, values, options);
      states.add(state);
      return state;
    },
    async compile(program, { precision = 'float32' } = {}) {
      if (precision === 'float64') throw noDoubles();
      const step = await compileDawnStep(gpu, pipelines, program, { adapter, times, matrixUnits: gpu.hasMatrixUnits });
      steps.add(step);
      return step;
    },
    async dispose() {
      for (const step of steps) await step.dispose();
      for (const state of states) await state.dispose();
      times?.write();
      gpu.device.destroy();
    },
  };
}

const noDoubles = () => new Error('internal: engine: a GPU computes in single precision alone.');
