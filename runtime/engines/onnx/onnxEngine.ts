import { availableParallelism } from 'node:os';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import type { CompiledStep, Engine, EngineState, Precision, StepProgram, TypedArray } from '../engine.ts';
import { record } from '../trace/record.ts';
import { lower } from './lower.ts';
import { serialise } from './model.ts';
import { OnnxState, tensorOf } from './onnxState.ts';

/**
 * Steps through ONNX Runtime on the CPU. `run` blocks the thread that it is called on: training keeps it in a process of its own.
 *
 * @param options.threads for the arithmetic inside an operation; default: every core
 * @param options.profileTo a path's beginning: ONNX Runtime writes a trace of every operator there, for chrome://tracing
 */
export function createOnnxEngine({ threads = availableParallelism(), profileTo }: OnnxOptions = {}): Engine {
  const compiled = new Set<CompiledStep>();
  return {
    name: 'onnx',
    device: `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    createState: (specs, values = {}, options = {}) => new OnnxState(specs, values, options),
    async compile(program, { precision = 'float32' } = {}) {
      const step = await compile(program, precision, { threads, ...(profileTo ? { profileTo } : {}) });
      compiled.add(step);
      return {
        ...step,
        async dispose() {
          if (compiled.delete(step)) await step.dispose();
        },
      };
    },
    async dispose() {
      await Promise.all([...compiled].map((step) => step.dispose()));
      compiled.clear();
    },
  };
}

interface OnnxOptions {
  threads?: number;
  profileTo?: string;
}

async function compile(
  program: StepProgram,
  precision: Precision,
  { threads, profileTo }: OnnxOptions & { threads: number },
): Promise<CompiledStep> {
  const { graph, names, outputs } = record(program);
  const model = lower(graph, { precision });
  const session = await InferenceSession.create(serialise(model), {
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
  });

  const used = new Set(model.inputs.map(({ name }) => name));
  const stateNames = Object.keys(program.state).filter((name) => used.has(names.state(name)));
  const inputNames = Object.keys(program.inputs).filter((name) => used.has(names.input(name)));

  return {
    inputs: inputNames,
    async run(state: EngineState, inputs: Readonly<Record<string, TypedArray>>) {
      if (!(state instanceof OnnxState) || state.precision !== precision) {
        throw new Error(`internal: engine: a ${precision} step needs a state of the onnx engine with that precision.`);
      }
      const feeds: Record<string, Tensor> = {};
      for (const name of stateNames) feeds[names.state(name)] = state.current(name);
      for (const name of inputNames) {
        const values = inputs[name];
        if (!values) throw new Error(`internal: engine: input "${name}" is missing.`);
        feeds[names.input(name)] = tensorOf(`input "${name}"`, program.inputs[name]!, precision, values);
      }
      // Updates go where we say; other results where the runtime likes.
      const fetches: Record<string, Tensor | null> = {};
      for (const name of program.updates) fetches[names.update(name)] = state.spare(name);
      for (const name of outputs) fetches[names.output(name)] = null;
      const results = await session.run(feeds, fetches);
      state.swap(program.updates);
      return Object.fromEntries(outputs.map((name) => [name, results[names.output(name)]!.data as TypedArray]));
    },
    async dispose() {
      if (profileTo) session.endProfiling();
      await session.release();
    },
  };
}
