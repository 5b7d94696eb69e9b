import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { StepProgram, TensorSpec, Tensors } from '../../../../runtime/engines/engine.ts';
import { planGraph, type Plan } from '../../../../runtime/engines/dawn/plan/plan.ts';
import { record } from '../../../../runtime/engines/trace/record.ts';
import { gelu } from '../../../../runtime/ops/gelu.ts';
import { adamw } from '../../../../runtime/optim/adamw.ts';

const real = (...shape: number[]): TensorSpec => ({ shape, dtype: 'float32' });

function planOf(
  program: Pick<StepProgram, 'run'> & Partial<StepProgram>,
  { maxBindings = 10, matrixUnits = false } = {},
): Plan {
  const whole: StepProgram = { state: {}, updates: [], inputs: {}, ...program };
  const { graph, names } = record(whole);
  const updates = new Map(whole.updates.map((name) => [names.update(name), names.state(name)]));
  return planGraph(graph, { maxBindings, updates, matrixUnits });
}

const kindsOf = ({ kernels }: Plan): string[] => kernels.map(({ label }) => label.replace(/ \[.*/, ''));

describe('what is computed by one kernel', () => {
  test('a product with its bias, activation and residual', () => {
    const plan = planOf({
      inputs: { x: real(64, 32), weight: real(32, 64), bias: real(64), residual: real(64, 64) },
      run: (_, { x, weight, bias, residual }) => ({
        state: {},
        outputs: { y: tf.add(gelu(tf.add(tf.matMul(x!, weight!), bias!)), residual!) },
      }),
    });
    // x/2 (1 + erf(x / sqrt 2)) uses the biased product twice: it is stored once, and read by the kernel of the rest.
    expect(kindsOf(plan)).toEqual(['product', 'binary']);
  });

  test('a transpose in front of a product costs no kernel', () => {
    const plan = planOf({
      inputs: { x: real(8, 4, 6), y: real(4, 6) },
      run: (_, { x, y }) => ({
        state: {},
        outputs: { z: tf.matMul(tf.reshape(tf.transpose(x!, [1, 0, 2]), [32, 6]), y!, false, true) },
      }),
    });
    expect(kindsOf(plan)).toEqual(['product']);
  });

  test('a row of ones times a matrix is a sum, not a product', () => {
    const plan = planOf({
      inputs: { x: real(50, 8) },
      run: (_, { x }) => ({ state: {}, outputs: { sum: tf.matMul(tf.ones([1, 50]), x as tf.Tensor2D) } }),
    });
    expect(kindsOf(plan)).toEqual(['sum of 50']);
  });

  test('more arrays than a kernel binds are joined by several', () => {
    const names = Array.from({ length: 20 }, (_, index) => `x${index}`);
    const plan = planOf({
      inputs: Object.fromEntries(names.map((name) => [name, real(3)])),
      run: (_, inputs) => ({ state: {}, outputs: { all: tf.stack(names.map((name) => inputs[name]!)) } }),
    });
    expect(plan.kernels.length).toBeGreaterThan(1);
    for (const { arrays } of plan.kernels) expect(arrays.length).toBeLessThanOrEqual(10);
  });

  test('an expression of more arrays than a kernel binds is divided', () => {
    const names = Array.from({ length: 24 }, (_, index) => `x${index}`);
    const plan = planOf({
      inputs: Object.fromEntries(names.map((name) => [name, real(5)])),
      run: (_, inputs) => ({ state: {}, outputs: { sum: tf.addN(names.map((name) => inputs[name]!)) } }),
    });
    for (const { arrays } of plan.kernels) expect(arrays.length).toBeLessThanOrEqual(10);
  });
});

describe('memory', () => {
  test('AdamW writes over what it replaces', () => {
    const entries = { parameter: real(64, 64), first: real(64, 64), second: real(64, 64) };
    const scalars = { lr: real(), biasCorrection1: real(), biasCorrection2: real(), gate: real() };
    const plan = planOf({
      state: entries,
      updates: Object.keys(entries),
      inputs: { gradient: real(64, 64), ...scalars },
      run(state, inputs) {
        const { parameter, moments } = adamw(
          state['parameter']!,
          inputs['gradient']!,
          { first: state['first']!, second: state['second']! },
          inputs as never,
          { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        );
        return { state: { parameter, ...moments }, outputs: { done: inputs['lr']! } };
      },
    });
    const whereOf = (name: string) => plan.results.find((result) => result.name === `update/${name}`)!.memory;
    for (const name of Object.keys(entries)) expect(whereOf(name)).toEqual({ kind: 'input', name: `state/${name}` });
  });

  test('an entry that is still read is written aside', () => {
    const plan = planOf({
      state: { a: real(4), b: real(4) },
      updates: ['a', 'b'],
      run: ({ a, b }: Tensors) => ({ state: { a: tf.add(b!, 1), b: tf.add(a!, 1) }, outputs: {} }),
    });
    const kinds = plan.results.map(({ memory }) => memory.kind);
    expect(kinds).toContain('slot');
  });

  test('layers take turns in the same memory', () => {
    const plan = planOf({
      inputs: { x: real(32, 64), w: real(64, 64) },
      run(_, { x, w }) {
        let y = x as tf.Tensor2D;
        for (let layer = 0; layer < 8; layer++) y = tf.softmax(tf.matMul(y, w as tf.Tensor2D));
        return { state: {}, outputs: { y } };
      },
    });
    expect(plan.slots.length).toBeLessThanOrEqual(3);
  });
});
