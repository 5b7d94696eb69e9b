import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { Engine, Precision, StepProgram, TensorSpec, TypedArray } from '../../../runtime/engines/engine.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';

export interface Input {
  shape: number[];
  values: number[];
  dtype?: TensorSpec['dtype'];
}

export type Operation = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

const onCpu: Engine = createOnnxEngine({ threads: 1 });

/** The results of recording `operation` and running its graph. */
export async function recorded(
  operation: Operation,
  inputs: Input[],
  precision: Precision = 'float32',
  engine: Engine = onCpu,
): Promise<TypedArray[]> {
  const program = programOf(operation, inputs);
  const step = await engine.compile(program, { precision });
  const state = engine.createState({}, {}, { precision });
  const feeds = Object.fromEntries(
    inputs.map(({ values, dtype = 'float32' }, index) => [`x${index}`, arrayOf(values, dtype)]),
  );
  const results = await step.run(state, feeds);
  await step.dispose();
  return Object.keys(results)
    .sort()
    .map((name) => results[name]!);
}

/** The same operation on tfjs's own backend in JavaScript. */
export function onCpuBackend(operation: Operation, inputs: Input[]): number[][] {
  void tf.setBackend('cpu');
  return tf.tidy(() => {
    const tensors = inputs.map(({ shape, values, dtype = 'float32' }) =>
      tf.tensor(values, shape, dtype === 'int32' ? 'int32' : 'float32'),
    );
    return [operation(...tensors)].flat().map((result) => Array.from(result.dataSync()));
  });
}

export function programOf(operation: Operation, inputs: Input[]): StepProgram {
  return {
    state: {},
    updates: [],
    inputs: Object.fromEntries(inputs.map(({ shape, dtype = 'float32' }, index) => [`x${index}`, { shape, dtype }])),
    run: (_state, given) => {
      const results = [operation(...inputs.map((_, index) => given[`x${index}`]!))].flat();
      return {
        state: {},
        outputs: Object.fromEntries(results.map((result, index) => [`y${String(index).padStart(3, '0')}`, result])),
      };
    },
  };
}

function arrayOf(values: number[], dtype: TensorSpec['dtype']): TypedArray {
  return dtype === 'int32'
    ? Int32Array.from(values)
    : dtype === 'uint8'
      ? Uint8Array.from(values)
      : Float64Array.from(values);
}

/** A fixed sequence of numbers in [-1, 1): no test draws from a generator that changes. */
export function numbers(count: number, seed = 1): number[] {
  let state = seed >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
