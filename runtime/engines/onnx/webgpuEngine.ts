import type { InferenceSession } from 'onnxruntime-node';
import { errors } from '../../../protocol/errors.ts';
import type { Engine, EngineState } from '../engine.ts';
import { GpuState } from './gpuState.ts';
import { GpuTransfer } from './gpuTransfer.ts';
import { CompiledSteps, compileOnnxStep, type StepState } from './onnxStep.ts';

/** What WebGPU guarantees everywhere; taken where the adapter's own limit is not known. */
export const GUARANTEED_BINDING_BYTES = 128 * 2 ** 20;

export interface WebGpuOptions {
  /** Name of the adapter, for people. */
  adapter?: string;
  /** Bytes of the largest array that a kernel may read or write. */
  maxBindingBytes?: number;
  /** A path's beginning: ONNX Runtime writes a trace with the GPU's time of every kernel there. */
  profileTo?: string;
}

/**
 * Steps through ONNX Runtime's WebGPU provider: state stays on the GPU, inputs go up and scalars come down.
 *
 * Beyond the adapter's limit for one array some kernels return wrong values without a word, so a step with a larger array is refused. A
 * driver's fault may end the process: training keeps it in a process of its own.
 *
 * @throws arrayTooLarge from `compile`: the step needs a smaller micro-batch
 */
export function createWebGpuEngine(options: WebGpuOptions = {}): Engine {
  const { adapter = 'GPU', maxBindingBytes = GUARANTEED_BINDING_BYTES, profileTo } = options;
  const session: InferenceSession.SessionOptions = {
    executionProviders: ['webgpu'],
    // What shapes are made of stays on the CPU, on purpose; the runtime warns of it each time.
    logSeverityLevel: 3,
    graphOptimizationLevel: 'disabled',
    enableMemPattern: false,
  };
  const steps = new CompiledSteps();
  const states = new Set<GpuState>();
  const transfer = new GpuTransfer(session);
  return {
    name: 'webgpu',
    device: adapter,
    createState(specs, values = {}, stateOptions = {}) {
      if (stateOptions.precision === 'float64') throw noDoubles();
      const state = new GpuState(transfer, specs, values, stateOptions);
      states.add(state);
      return state;
    },
    async compile(program, { precision = 'float32' } = {}) {
      if (precision === 'float64') throw noDoubles();
      return steps.add(
        await compileOnnxStep(program, {
          target: { precision, provider: 'webgpu' },
          session: profileTo ? { ...session, enableProfiling: true, profileFilePrefix: profileTo } : session,
          checkLargestBytes(largestBytes) {
            if (largestBytes > maxBindingBytes) throw errors.arrayTooLarge(adapter, largestBytes, maxBindingBytes);
          },
          isOwn: isGpuState,
        }),
      );
    },
    async dispose() {
      // Tensors before the sessions that made them: the other order ends the process.
      for (const state of states) await state.dispose();
      states.clear();
      await steps.dispose();
      await transfer.dispose();
    },
  };
}

const isGpuState = (state: EngineState): state is StepState => state instanceof GpuState;

const noDoubles = () => new Error('internal: engine: a GPU computes in single precision alone.');
