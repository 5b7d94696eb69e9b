import { availableParallelism } from 'node:os';
import type { InferenceSession } from 'onnxruntime-node';
import type { Collective, Engine, EngineState } from '../engine.ts';
import { HostState } from './hostState.ts';
import { CompiledSteps, compileOnnxStep, type StepState } from './onnxStep.ts';

/** Elements that stay in the second-level caches of a few cores. */
const BLOCK_ELEMENTS = 400_000;

export interface OnnxOptions {
  threads?: number;
  profileTo?: string;
  collective?: Collective;
}

/**
 * Steps through ONNX Runtime on the CPU. `run` blocks the thread that it is called on: training keeps it in a process of its own.
 *
 * @param options.threads for the arithmetic inside an operation; default: every core
 * @param options.collective the processes that steps may sum over
 * @param options.profileTo a path's beginning: ONNX Runtime writes a trace of every operator there, for chrome://tracing
 */
export function createOnnxEngine({
  threads = availableParallelism(),
  profileTo,
  collective,
}: OnnxOptions = {}): Engine {
  const steps = new CompiledSteps();
  const session: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Planned reuse keeps the peak of every step resident: half as much memory again, for no time won.
    enableMemPattern: false,
    // The graph comes simplified. The runtime's own passes would fold bias additions into a slower product, and undo recomputation.
    graphOptimizationLevel: 'disabled',
    // Second moments of weights at rest underflow, and arithmetic on denormal numbers is a hundred times slower.
    extra: { session: { set_denormal_as_zero: '1' } },
    ...(profileTo ? { enableProfiling: true, profileFilePrefix: profileTo } : {}),
  };
  return {
    name: 'onnx',
    device: `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    createState: (specs, values = {}, options = {}) => new HostState(specs, values, options),
    compile: async (program, { precision = 'float32' } = {}) =>
      steps.add(
        await compileOnnxStep(program, {
          target: { precision, provider: 'cpu', threads },
          session,
          blockElements: BLOCK_ELEMENTS,
          updatesInPlace: true,
          isOwn: isHostState,
          ...(collective ? { collective } : {}),
        }),
      ),
    dispose: () => steps.dispose(),
  };
}

const isHostState = (state: EngineState): state is StepState => state instanceof HostState;
