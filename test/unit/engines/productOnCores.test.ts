import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, test } from 'vitest';
import { lower } from '../../../runtime/engines/onnx/lower.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { record } from '../../../runtime/engines/trace/record.ts';
import { expectClose } from './expectClose.ts';
import { numbers, onCpuBackend, programOf, recorded, type Input, type Operation } from './oracle.ts';

const input = (...shape: number[]): Input => ({
  shape,
  values: numbers(
    shape.reduce((a, b) => a * b, 1),
    shape[0],
  ),
});
const firstTransposed = (a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b, true, false);

const cases: Record<string, { operation: Operation; inputs: Input[]; operators: string[] }> = {
  'a wide product of a transposed factor transposes it beforehand': {
    operation: firstTransposed,
    inputs: [input(70, 64), input(70, 512)],
    operators: ['MatMul', 'Transpose'],
  },
  'a tall one transposes the other factor, and the result': {
    operation: firstTransposed,
    inputs: [input(70, 512), input(70, 64)],
    operators: ['MatMul', 'Transpose', 'Transpose'],
  },
  'a small one leaves it to the product': {
    operation: firstTransposed,
    inputs: [input(70, 64), input(70, 65)],
    operators: ['FusedMatMul'],
  },
  'a factor of several is transposed once for all': {
    operation: (a, b, c) => [firstTransposed(a, b), firstTransposed(a, c)],
    inputs: [input(70, 64), input(70, 65), input(70, 66)],
    operators: ['MatMul', 'MatMul', 'Transpose'],
  },
  'heads that are no multiple of the threads share rows': {
    operation: (x, weight) => tf.matMul(x, weight, false, true),
    inputs: [input(1, 10, 4), input(3, 5, 4)],
    operators: ['FusedMatMul', 'Reshape', 'Reshape', 'Reshape'],
  },
  'heads that are one do not': {
    operation: (x, weight) => tf.matMul(x, weight),
    inputs: [input(1, 10, 4), input(4, 4, 5)],
    operators: ['MatMul'],
  },
};

const engine = createOnnxEngine({ threads: 2 });
afterAll(() => engine.dispose());

describe.each(Object.entries(cases))('%s', (_name, { operation, inputs, operators }) => {
  test('in single precision on two threads', () => {
    const { nodes } = lower(record(programOf(operation, inputs)).graph, {
      precision: 'float32',
      provider: 'cpu',
      threads: 2,
    });
    expect(nodes.map(({ op }) => op).sort()).toEqual(operators);
  });

  test('with the result of the tfjs cpu backend', async () => {
    const expected = onCpuBackend(operation, inputs);
    expectClose(await recorded(operation, inputs, 'float32', engine), expected, 2e-6);
    expectClose(await recorded(operation, inputs, 'float64', engine), expected, 2e-6);
  });
});
