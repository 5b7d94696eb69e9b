import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { numbers, onCpuBackend, recorded, type Input, type Operation } from './oracle.ts';

const matrix: Input = { shape: [3, 4], values: numbers(12) };
const other: Input = { shape: [3, 4], values: numbers(12, 2) };
const row: Input = { shape: [4], values: numbers(4, 3) };
const column: Input = { shape: [3, 1], values: numbers(3, 4) };
const cube: Input = { shape: [2, 3, 4], values: numbers(24, 5) };
const positive: Input = { shape: [3, 4], values: numbers(12, 6).map((x) => x + 1.5) };
const wide: Input = { shape: [9], values: [-7.5, -2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 7.5] };
const whole: Input = { shape: [5], values: [-7, -1, 0, 3, 8], dtype: 'int32' };
const rows: Input = { shape: [4], values: [2, 0, 1, 2], dtype: 'int32' };
const bytes: Input = { shape: [2, 2], values: [0, 1, 128, 255], dtype: 'uint8' };

/** name, operation in tfjs, operands. */
const cases: [string, Operation, Input[]][] = [
  ['neg', tf.neg, [matrix]],
  ['abs', tf.abs, [matrix]],
  ['exp', tf.exp, [matrix]],
  ['expm1', tf.expm1, [matrix]],
  ['log', tf.log, [positive]],
  ['log1p', tf.log1p, [positive]],
  ['sqrt', tf.sqrt, [positive]],
  ['rsqrt', tf.rsqrt, [positive]],
  ['square', tf.square, [matrix]],
  ['reciprocal', tf.reciprocal, [positive]],
  ['erf', tf.erf, [wide]],
  ['tanh', tf.tanh, [wide]],
  ['sigmoid', tf.sigmoid, [wide]],
  ['softplus', tf.softplus, [wide]],
  ['relu', tf.relu, [wide]],
  ['step', (x) => tf.step(x), [wide]],
  ['sin', tf.sin, [wide]],
  ['cos', tf.cos, [wide]],
  ['sign', tf.sign, [wide]],
  ['floor', tf.floor, [wide]],
  ['ceil', tf.ceil, [wide]],
  ['round, halves to even', tf.round, [wide]],
  ['isNaN', (x) => tf.isNaN(tf.log(x)), [wide]],
  ['clipByValue', (x) => tf.clipByValue(x, -2, 1), [wide]],
  ['add, broadcasting a row', tf.add, [matrix, row]],
  ['sub, broadcasting a column', tf.sub, [column, matrix]],
  ['mul', tf.mul, [matrix, other]],
  ['mul by a number', (x) => tf.mul(x, 0.1), [matrix]],
  ['div', tf.div, [matrix, positive]],
  ['div of whole numbers', (x) => tf.div(x, tf.scalar(3, 'int32')), [whole]],
  ['floorDiv', (x) => tf.floorDiv(x, tf.scalar(3, 'int32')), [whole]],
  ['mod', (x) => tf.mod(x, 2), [wide]],
  ['pow', tf.pow, [positive, other]],
  ['pow by a number', (x) => tf.pow(x, 3), [matrix]],
  ['maximum', tf.maximum, [matrix, other]],
  ['minimum', tf.minimum, [matrix, row]],
  ['squaredDifference', tf.squaredDifference, [matrix, other]],
  ['addN', (...terms) => tf.addN(terms), [matrix, other, positive]],
  ['equal', tf.equal, [whole, whole]],
  ['notEqual', (x) => tf.notEqual(x, tf.scalar(3, 'int32')), [whole]],
  ['greater', tf.greater, [matrix, row]],
  ['greaterEqual', tf.greaterEqual, [matrix, other]],
  ['less', tf.less, [matrix, other]],
  ['lessEqual', tf.lessEqual, [matrix, other]],
  ['logicalAnd', (x, y) => tf.logicalAnd(tf.greater(x, 0), tf.greater(y, 0)), [matrix, other]],
  ['logicalOr', (x, y) => tf.logicalOr(tf.greater(x, 0), tf.greater(y, 0)), [matrix, other]],
  ['logicalNot', (x) => tf.logicalNot(tf.greater(x, 0)), [matrix]],
  ['where', (x, y) => tf.where(tf.greater(x, 0), x, y), [matrix, other]],
  ['where, rows by a column', (c, x, y) => tf.where(tf.greater(c, 0), x, y), [column, matrix, other]],
  ['cast to int', (x) => tf.cast(x, 'int32'), [wide]],
  ['cast to bool', (x) => tf.cast(x, 'bool'), [whole]],
  ['cast of bool', (x) => tf.cast(tf.greater(x, 0), 'float32'), [wide]],
  ['matMul', (x, y) => tf.matMul(x, y, false, true), [matrix, other]],
  ['matMul, first transposed', (x, y) => tf.matMul(x, y, true, false), [matrix, other]],
  ['matMul of batches', (x) => tf.matMul(x, x, false, true), [cube]],
  ['matMul, one matrix for a batch', (x, y) => tf.matMul(x, y, false, true), [cube, matrix]],
  ['matMul, transposed before', (x, y) => tf.matMul(x, tf.transpose(y)), [matrix, other]],
  ['matMul, scaled', (x, y) => tf.mul(tf.matMul(x, y, false, true), 0.25), [matrix, other]],
  ['sum', (x) => tf.sum(x), [cube]],
  ['sum of an axis', (x) => tf.sum(x, 1), [cube]],
  ['sum of two axes, kept', (x) => tf.sum(x, [0, 2], true), [cube]],
  ['sum of truth values', (x) => tf.sum(tf.greater(x, 0)), [cube]],
  ['mean', (x) => tf.mean(x, -1, true), [cube]],
  ['max', (x) => tf.max(x, 2), [cube]],
  ['min', (x) => tf.min(x, 0), [cube]],
  ['prod', (x) => tf.prod(x, 1), [cube]],
  ['any', (x) => tf.any(tf.greater(x, 0.9), 1), [cube]],
  ['all', (x) => tf.all(tf.greater(x, -0.9), 1), [cube]],
  ['argMax', (x) => tf.argMax(x, -1), [cube]],
  ['argMin', (x) => tf.argMin(x, 1), [cube]],
  ['softmax', (x) => tf.softmax(x), [cube]],
  ['logSoftmax', (x) => tf.logSoftmax(x), [cube]],
  ['logSumExp', (x) => tf.logSumExp(x, -1), [cube]],
  ['norm', (x) => tf.norm(x, 2, -1), [cube]],
  ['cumsum', (x) => tf.cumsum(x, 1), [cube]],
  ['cumsum, exclusive and reversed', (x) => tf.cumsum(x, 2, true, true), [cube]],
  ['topk', (x) => Object.values(tf.topk(x, 2)), [cube]],
  ['reshape', (x) => tf.reshape(x, [4, -1]), [cube]],
  ['expandDims', (x) => tf.expandDims(x, -1), [cube]],
  ['squeeze', (x) => tf.squeeze(x), [column]],
  ['transpose', (x) => tf.transpose(x, [2, 0, 1]), [cube]],
  ['transpose twice', (x) => tf.transpose(tf.transpose(x, [2, 0, 1]), [0, 2, 1]), [cube]],
  ['reverse', (x) => tf.reverse(x, [0, 2]), [cube]],
  ['slice', (x) => tf.slice(x, [0, 1, 2], [2, -1, 1]), [cube]],
  ['stridedSlice', (x) => tf.stridedSlice(x, [0, 0, 3], [2, 3, 0], [1, 2, -2]), [cube]],
  ['concat', (x, y) => tf.concat([x, y], 1), [matrix, other]],
  ['stack', (x, y) => tf.stack([x, y], -1), [matrix, other]],
  ['unstack', (x) => tf.unstack(x, 1), [cube]],
  ['split', (x) => tf.split(x, [1, 3], 2), [cube]],
  ['tile', (x) => tf.tile(x, [2, 3]), [matrix]],
  ['broadcastTo', (x) => tf.broadcastTo(x, [2, 3, 4]), [row]],
  [
    'pad',
    (x) =>
      tf.pad(
        x,
        [
          [1, 0],
          [0, 2],
        ],
        0.5,
      ),
    [matrix],
  ],
  ['gather', (x, indices) => tf.gather(x, indices, 1), [cube, rows]],
  ['oneHot', (x) => tf.oneHot(tf.cast(x, 'int32'), 4, 2, -1), [rows]],
  ['zerosLike, onesLike', (x) => [tf.zerosLike(x), tf.onesLike(x), x], [matrix]],
  ['fill, range, linspace', (x) => [tf.fill([2, 2], 0.3), tf.range(0, 10, 3), tf.linspace(0, 1, 4), x], [row]],
  ['bytes are numbers', (x) => tf.div(x, 255), [bytes]],
];

describe('kernels, recorded and run, agree with the tfjs cpu backend', () => {
  test.each(cases)('%s', async (_name, operation, inputs) => {
    const expected = onCpuBackend(operation, inputs);
    const actual = await recorded(operation, inputs);
    expectClose(actual, expected, 2e-6);
    // The same graph in 64 bits; the oracle itself rounds to 32.
    expectClose(await recorded(operation, inputs, 'float64'), expected, 2e-6);
  });
});

function expectClose(actual: ArrayLike<number>[], expected: number[][], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((values, output) => {
    expect(actual[output]!.length).toBe(values.length);
    values.forEach((value, index) => {
      const difference = Math.abs(actual[output]![index]! - value);
      // NaN fails here.
      expect(
        difference <= tolerance * Math.max(1, Math.abs(value)),
        `output ${output}[${index}]: ${actual[output]![index]} against ${value}`,
      ).toBe(true);
    });
  });
}
