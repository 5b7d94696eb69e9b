import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import type { StepProgram } from '../../../runtime/engines/engine.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { codingRate } from '../../../runtime/ops/codingRate.ts';
import { gelu } from '../../../runtime/ops/gelu.ts';
import { l2Normalise } from '../../../runtime/ops/l2Normalise.ts';
import { linear } from '../../../runtime/ops/linear.ts';
import { numbers } from './oracle.ts';

/** Gradient descent on the negative coding rate of a two-layer network's features, with a running mean of the weights. */
const program: StepProgram = {
  state: {
    first: { shape: [6, 4], dtype: 'float32' },
    second: { shape: [3, 6], dtype: 'float32' },
    slow: { shape: [3, 6], dtype: 'float32' },
    steps: { shape: [], dtype: 'int32' },
    untouched: { shape: [2], dtype: 'float32' },
  },
  updates: ['first', 'second', 'slow', 'steps'],
  inputs: { pixels: { shape: [8, 4], dtype: 'uint8' }, rate: { shape: [], dtype: 'float32' } },
  run(state, { pixels, rate }) {
    const loss = (first: tf.Tensor, second: tf.Tensor) => {
      const hidden = gelu(linear(tf.div(pixels!, 255), first as tf.Tensor2D));
      const z_MD = l2Normalise(linear(hidden, second as tf.Tensor2D), { epsilon: 1e-12 });
      return tf.neg<tf.Scalar>(tf.sum(codingRate(tf.reshape(z_MD, [1, 8, 3]), { scale: 3 / 8 / 0.05 })));
    };
    const { value, grads } = tf.valueAndGrads(loss)([state['first']!, state['second']!]);
    const second = tf.sub(state['second']!, tf.mul(rate!, grads[1]!));
    return {
      state: {
        first: tf.sub(state['first']!, tf.mul(rate!, grads[0]!)),
        second,
        slow: tf.add(tf.mul(state['slow']!, 0.9), tf.mul(second, 0.1)),
        steps: tf.add(state['steps']!, tf.scalar(1, 'int32')),
      },
      outputs: { loss: value },
    };
  },
};

const start = { first: Float32Array.from(numbers(24, 1)), second: Float32Array.from(numbers(18, 2)) };
const pixels = Uint8Array.from(numbers(32, 3), (x) => 127.5 * (x + 1));

async function descend(steps: number, precision: 'float32' | 'float64' = 'float32') {
  const engine = createOnnxEngine({ threads: 2 });
  const state = engine.createState(program.state, start, { precision });
  const step = await engine.compile(program, { precision });
  const losses: number[] = [];
  for (let index = 0; index < steps; index++) {
    losses.push((await step.run(state, { pixels, rate: Float32Array.of(0.05) }))['loss']![0]!);
  }
  const final = await state.read();
  await engine.dispose();
  return { losses, final, inputs: step.inputs };
}

test('descends, and counts its steps in the state', async () => {
  const { losses, final } = await descend(40);
  expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.5);
  expect(final['steps']).toEqual(Int32Array.of(40));
  expect(final['untouched']).toEqual(new Float32Array(2));
});

test('the same bits twice', async () => {
  const [one, other] = [await descend(10), await descend(10)];
  expect(one.losses).toEqual(other.losses);
  expect(one.final).toEqual(other.final);
});

test('double precision follows the same path', async () => {
  const [single, double] = [await descend(10), await descend(10, 'float64')];
  expect(double.final['first']).toBeInstanceOf(Float64Array);
  double.losses.forEach((loss, index) => expect(Math.abs(loss - single.losses[index]!)).toBeLessThan(2e-5));
});

test('recording leaves no tensors behind, and the active backend as it was', async () => {
  await tf.setBackend('cpu');
  const before = tf.memory().numTensors;
  await descend(1);
  expect(tf.memory().numTensors).toBe(before);
  expect(tf.getBackend()).toBe('cpu');
});

test('constants keep the digits of a double', async () => {
  const engine = createOnnxEngine({ threads: 1 });
  const inputs = { x: { shape: [2], dtype: 'float32' } } as const;
  const step = await engine.compile(
    {
      state: {},
      updates: [],
      inputs,
      run: (_, { x }) => ({ state: {}, outputs: { y: tf.mul(x!, 0.1), z: tf.add(x!, [1 / 3, 1e-9]) } }),
    },
    { precision: 'float64' },
  );
  const result = await step.run(engine.createState({}, {}, { precision: 'float64' }), { x: Float64Array.of(1, 0) });
  expect(result['y']![0]).toBe(0.1);
  expect(result['z']![1]).toBe(1e-9);
  expect(Float32Array.of(1)).toBeInstanceOf(Float32Array);
  await engine.dispose();
});

test('a step that reads a tensor is refused while it is recorded', async () => {
  const engine = createOnnxEngine({ threads: 1 });
  const reading: StepProgram = {
    ...program,
    run: (state) => ({ state, outputs: { first: tf.scalar(state['first']!.dataSync()[0]!) } }),
  };
  await expect(engine.compile(reading)).rejects.toThrow(/reads the value of a tensor/);
  await expect(
    engine.compile({ ...program, run: (state) => ({ state: { ...state, first: state['second']! }, outputs: {} }) }),
  ).rejects.toThrow(/state "first" must keep its shape \[6,4\], got \[3,6\]/);
});

test('a missing or misshapen input is named', async () => {
  const engine = createOnnxEngine({ threads: 1 });
  const step = await engine.compile(program);
  const state = engine.createState(program.state, start);
  await expect(step.run(state, { pixels })).rejects.toThrow('input "rate" is missing');
  await expect(step.run(state, { pixels: pixels.slice(1), rate: Float32Array.of(1) })).rejects.toThrow(
    'input "pixels" must have 32 elements for [8,4], got 31',
  );
});

test('a step may be disposed of before its engine, and twice', async () => {
  const engine = createOnnxEngine({ threads: 1 });
  const step = await engine.compile(program);
  await step.dispose();
  await step.dispose();
  await expect(engine.dispose()).resolves.toBeUndefined();
});
