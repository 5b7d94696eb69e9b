import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine, StepProgram } from '../engine.ts';

/** A chain of products, so that starting one does not count for much. */
const PRODUCTS = 4;
const RUNS = 4;

/** The largest error that single precision explains, relative to the largest element. */
const TOLERANCE = 1e-4;

/** Multiplies two small matrices and compares the product with its definition. */
export async function computesCorrectly(engine: Engine): Promise<boolean> {
  const size = 48;
  const [a, b] = [values(size, 1), values(size, 2)];
  const { product } = await runOnce(engine, chain(size, 1), { a, b });
  let worst = 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += a[row * size + k]! * b[k * size + column]!;
      const error = Math.abs(sum - (product?.[row * size + column] ?? NaN));
      // Not a number is the worst error of all.
      worst = error <= worst ? worst : error;
    }
  }
  return worst < TOLERANCE;
}

/** Speed of products of matrices of this size, in 10^9 operations per second: the best of a few. */
export async function productGflops(engine: Engine, size: number): Promise<number> {
  const program = chain(size, PRODUCTS);
  const state = engine.createState(program.state, { a: values(size, 1), b: values(size, 2) });
  const step = await engine.compile({ ...program, run: (given) => summed(program.run(given, {})) });
  try {
    let bestMs = Infinity;
    // The first run allocates, and compiles what has to be compiled.
    for (let index = 0; index <= RUNS; index++) {
      const startedMs = performance.now();
      await step.run(state, {});
      if (index > 0) bestMs = Math.min(bestMs, performance.now() - startedMs);
    }
    return (PRODUCTS * 2 * size ** 3) / (bestMs * 1e6);
  } finally {
    await step.dispose();
    await state.dispose();
  }
}

/** `a b b ... b`, the result's elements of the size of a's. */
function chain(size: number, products: number): StepProgram {
  const matrix = { shape: [size, size], dtype: 'float32' } as const;
  return {
    state: { a: matrix, b: matrix },
    updates: [],
    inputs: {},
    run({ a, b }) {
      let product = a as tf.Tensor2D;
      for (let index = 0; index < products; index++) product = tf.matMul(product, b as tf.Tensor2D);
      return { state: {}, outputs: { product } };
    },
  };
}

/** One number instead of a matrix: bringing it back must not be what is measured. */
function summed(result: ReturnType<StepProgram['run']>): ReturnType<StepProgram['run']> {
  return { state: {}, outputs: { sum: tf.sum(result.outputs['product']!) } };
}

async function runOnce(engine: Engine, program: StepProgram, initial: Record<string, Float32Array>) {
  const state = engine.createState(program.state, initial);
  const step = await engine.compile(program);
  try {
    return await step.run(state, {});
  } finally {
    await step.dispose();
    await state.dispose();
  }
}

/** A fixed matrix with elements in +- 1/sqrt(size). */
function values(size: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: size * size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) / Math.sqrt(size);
  });
}
