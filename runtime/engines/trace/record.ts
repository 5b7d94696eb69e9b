import * as tf from '@tensorflow/tfjs-core';
import '../../ops/registerGradients.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph, Value } from '../graph/ir.ts';
import { cast } from './kernel.ts';
import { keepingDoubles } from './doubleConstants.ts';
import { RECORDER, RecordingBackend, type ExecutorWishes } from './recordingBackend.ts';
import type { StepProgram, TensorSpec, Tensors } from '../engine.ts';
import './kernels/collective.ts';
import './kernels/elementwise.ts';
import './kernels/linearAlgebra.ts';
import './kernels/reduction.ts';
import './kernels/shape.ts';

const recorder = new RecordingBackend();

/** A recorded step. Names of state entries and of inputs are kept apart by the maps that they are in. */
export interface Recording {
  graph: Graph;
  /** The graph's names of state entries, inputs, updates and outputs. */
  names: {
    state(name: string): string;
    input(name: string): string;
    update(name: string): string;
    output(name: string): string;
  };
  outputs: string[];
}

const names: Recording['names'] = {
  state: (name) => `state/${name}`,
  input: (name) => `input/${name}`,
  update: (name) => `update/${name}`,
  output: (name) => `output/${name}`,
};

/** See `Blocking` in runtime/ops/rowBlocks.ts and `Factorises` in runtime/ops/choleskyInverse.ts. */
export type RecordOptions = ExecutorWishes;

/** Runs a step once on symbols and returns the graph that it is. Leaves no tensors behind, and the active backend as it was. */
export function record(program: StepProgram, options: RecordOptions = {}): Recording {
  const graph = new GraphBuilder();
  const previous = tf.engine().backendName as string | undefined;
  activateRecorder();
  tf.engine().startScope('record');
  try {
    return recorder.recordInto(graph, options, () =>
      keepingDoubles(() => {
        const state = declare(graph, program.state, names.state);
        const inputs = declare(graph, program.inputs, names.input);
        const result = program.run(state, inputs);
        const values = new Map<string, Value>();
        for (const name of program.updates) values.set(names.update(name), updated(name, program, result.state));
        for (const [name, tensor] of Object.entries(result.outputs))
          values.set(names.output(name), recorder.symbolOf(tensor));
        return { graph: graph.finish(values), names, outputs: Object.keys(result.outputs) };
      }),
    );
  } finally {
    tf.engine().endScope();
    if (previous && previous !== RECORDER) void tf.setBackend(previous);
  }
}

/** Registered on first use; with a backend that is ready at once, `setBackend` has taken effect when it returns its promise. */
function activateRecorder(): void {
  if (!tf.engine().registryFactory[RECORDER]) tf.registerBackend(RECORDER, () => recorder);
  void tf.setBackend(RECORDER);
}

function declare(
  graph: GraphBuilder,
  specs: Readonly<Record<string, TensorSpec>>,
  nameOf: (name: string) => string,
): Tensors {
  const tensors: Tensors = {};
  for (const [name, { shape, dtype }] of Object.entries(specs)) {
    const declared = graph.input(nameOf(name), shape, dtype === 'float32' ? 'real' : dtype);
    // Bytes travel as bytes; the step sees numbers.
    const value = dtype === 'uint8' ? cast(graph, declared, 'real') : declared;
    tensors[name] = tf.engine().makeTensorFromTensorInfo(recorder.infoOf(value), recorder);
  }
  return tensors;
}

function updated(name: string, program: StepProgram, state: Tensors): Value {
  const before = program.state[name];
  const after = state[name];
  if (!before || !after) {
    throw new Error(
      `internal: step: "${name}" is an update, but ${before ? 'the step returns no such state' : 'not in the state'}.`,
    );
  }
  const value = recorder.symbolOf(after);
  if (before.shape.join() !== value.shape.join()) {
    throw new Error(`internal: step: state "${name}" must keep its shape [${before.shape}], got [${value.shape}].`);
  }
  return value;
}
