import * as tf from '@tensorflow/tfjs-core';
import '../../ops/registerGradients.ts';
import { errors } from '../../../protocol/errors.ts';
import { sizeOf } from '../graph/ir.ts';
import type {
  CompiledStep,
  Engine,
  EngineState,
  StateOptions,
  StepProgram,
  TensorSpec,
  TypedArray,
} from '../engine.ts';
import { loadTensorflow } from './loadTensorflow.ts';

/**
 * Steps by TensorFlow's own kernels, one after another as the step calls them: `@tensorflow/tfjs-node-gpu` where CUDA is, else
 * `@tensorflow/tfjs-node`. The same step as every other engine runs, without a recording.
 *
 * @throws engineUnavailable if the package is not there, or does not load
 */
export async function createTensorflowEngine(available: readonly string[]): Promise<Engine> {
  const loaded = await loadTensorflow();
  if ('missing' in loaded) throw errors.engineUnavailable('tensorflow', loaded.missing, available);
  const states = new Set<EagerState>();
  const { device, version, note } = loaded;
  return {
    name: 'tensorflow',
    device: `${device}, TensorFlow ${version}${note ? ` (${note})` : ''}`,
    createState(specs, values = {}, options = {}) {
      const state = new EagerState(specs, values, options);
      states.add(state);
      return state;
    },
    compile: (program, { precision = 'float32' } = {}) => {
      if (precision === 'float64') throw noDoubles();
      return Promise.resolve(eagerStep(program));
    },
    dispose: async () => {
      for (const state of states) await state.dispose();
      states.clear();
    },
  };
}

function eagerStep(program: StepProgram): CompiledStep {
  const inputNames = Object.keys(program.inputs);
  return {
    inputs: inputNames,
    async run(state, inputs) {
      if (!(state instanceof EagerState))
        throw new Error('internal: engine: a step of tensorflow needs a state of tensorflow.');
      await activate();
      const { next, outputs } = tf.tidy(() => {
        const given: Record<string, tf.Tensor> = {};
        for (const name of inputNames) {
          const values = inputs[name];
          if (!values) throw new Error(`internal: engine: input "${name}" is missing.`);
          given[name] = tensorOf(`input "${name}"`, program.inputs[name]!, values);
        }
        const entries = Object.fromEntries(Object.keys(program.state).map((name) => [name, state.tensor(name)]));
        const result = program.run(entries, given);
        // An update may be the old tensor itself, which must outlive its own replacement.
        const updates = Object.fromEntries(program.updates.map((name) => [name, tf.clone(result.state[name]!)]));
        const kept = new Set(Object.values(entries));
        for (const tensor of Object.values(result.state)) if (!kept.has(tensor)) tensor.dispose();
        return { next: updates, outputs: result.outputs };
      });
      try {
        const names = Object.keys(outputs);
        const arrays = await Promise.all(names.map((name) => outputs[name]!.data()));
        state.replace(next);
        return Object.fromEntries(names.map((name, index) => [name, arrays[index] as TypedArray]));
      } finally {
        tf.dispose(outputs);
      }
    },
    dispose: () => Promise.resolve(),
  };
}

/** State in TensorFlow's memory. */
class EagerState implements EngineState {
  readonly specs: Readonly<Record<string, TensorSpec>>;
  readonly precision = 'float32';
  readonly #waiting = new Map<string, TypedArray | undefined>();
  readonly #tensors = new Map<string, tf.Tensor>();

  constructor(
    specs: Readonly<Record<string, TensorSpec>>,
    values: Readonly<Record<string, TypedArray>>,
    { precision = 'float32', arrays = 'copied' }: StateOptions,
  ) {
    if (precision === 'float64') throw noDoubles();
    this.specs = specs;
    for (const name of Object.keys(values)) this.#specOf(name);
    for (const name of Object.keys(specs)) {
      this.#waiting.set(name, arrays === 'copied' ? values[name]?.slice() : values[name]);
    }
  }

  async read(names: readonly string[] = Object.keys(this.specs)): Promise<Record<string, TypedArray>> {
    await activate();
    const arrays = await Promise.all(names.map((name) => this.tensor(name).data()));
    return Object.fromEntries(names.map((name, index) => [name, arrays[index]!.slice() as TypedArray]));
  }

  async write(values: Readonly<Record<string, TypedArray>>): Promise<void> {
    await activate();
    const tensors = Object.entries(values).map(
      ([name, data]) => [name, tensorOf(`state "${name}"`, this.#specOf(name), data)] as const,
    );
    this.replace(Object.fromEntries(tensors));
  }

  /** The entry, made on first use: by then the backend is the active one. */
  tensor(name: string): tf.Tensor {
    const known = this.#tensors.get(name);
    if (known) return known;
    const tensor = tf.keep(tensorOf(`state "${name}"`, this.#specOf(name), this.#waiting.get(name)));
    this.#waiting.delete(name);
    this.#tensors.set(name, tensor);
    return tensor;
  }

  replace(tensors: Readonly<Record<string, tf.Tensor>>): void {
    for (const [name, tensor] of Object.entries(tensors)) {
      this.#tensors.get(name)?.dispose();
      this.#waiting.delete(name);
      this.#tensors.set(name, tf.keep(tensor));
    }
  }

  dispose(): Promise<void> {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
    this.#waiting.clear();
    return Promise.resolve();
  }

  #specOf(name: string): TensorSpec {
    const spec = this.specs[name];
    if (!spec) throw new Error(`internal: engine: there is no state "${name}".`);
    return spec;
  }
}

function tensorOf(what: string, { shape, dtype }: TensorSpec, values?: TypedArray): tf.Tensor {
  const size = sizeOf(shape);
  if (values && values.length !== size) {
    throw new Error(`internal: engine: ${what} must have ${size} elements for [${shape}], got ${values.length}.`);
  }
  if (dtype === 'int32') return tf.tensor(Int32Array.from(values ?? new Int32Array(size)), [...shape], 'int32');
  const numbers = values instanceof Float32Array ? values : Float32Array.from(values ?? new Float32Array(size));
  return tf.tensor(numbers, [...shape], 'float32');
}

/** Another engine of this process may have recorded in between. */
async function activate(): Promise<void> {
  if (tf.getBackend() !== 'tensorflow') await tf.setBackend('tensorflow');
}

const noDoubles = () => new Error('internal: engine: TensorFlow computes in single precision alone here.');
