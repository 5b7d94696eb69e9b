/**
 * Runs the product's own functions on reference inputs, on the CPU engine unless SIMDINO_GOLDEN_ENGINE names another one: there, recorded
 * once and lowered to the precision asked for. "In double" is therefore the same code as in training, not a second implementation. The
 * other engines compute in single precision alone.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Engine, Precision, StepProgram, TensorSpec, Tensors, TypedArray } from '../../runtime/engines/engine.ts';
import { engineOfTests, testedEngine } from '../engines/testedEngine.ts';
import type { ReferenceTensor } from './compare.ts';

export const precisions: readonly Precision[] = testedEngine === 'onnx' ? ['float64', 'float32'] : ['float32'];

export const engine: Engine = await engineOfTests();

/** Results of a function of named tensors, by name. */
export async function compute(
  precision: Precision,
  inputs: Readonly<Record<string, ReferenceTensor>>,
  run: (tensors: Tensors) => Tensors,
): Promise<Record<string, TypedArray>> {
  const program: StepProgram = {
    state: {},
    updates: [],
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([name, { shape }]): [string, TensorSpec] => [name, { shape, dtype: 'float32' }]),
    ),
    run: (_, tensors) => ({ state: {}, outputs: run(tensors) }),
  };
  const step = await engine.compile(program, { precision });
  const state = engine.createState({}, {}, { precision });
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { data }]) => [name, toArray(data, precision)] as const),
  );
  try {
    return await step.run(state, feeds);
  } finally {
    await step.dispose();
    await state.dispose();
  }
}

export function toArray(data: ArrayLike<number>, precision: Precision): TypedArray {
  return precision === 'float64' ? Float64Array.from(data) : Float32Array.from(data);
}

/** Value and gradients with respect to named tensors; `value` is a scalar. */
export function valueAndGradients(
  variables: Tensors,
  f: (variables: Tensors) => tf.Scalar,
): { value: tf.Scalar; gradients: Tensors } {
  const names = Object.keys(variables);
  const { value, grads } = tf.engine().gradients(() => f(variables), Object.values(variables), undefined, true);
  return {
    value: value,
    gradients: Object.fromEntries(names.map((name, index) => [name, grads[index]!])),
  };
}

/** The same entries under prefixed names. */
export function prefixedNames<T>(prefix: string, entries: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [`${prefix}.${name}`, entry]));
}
