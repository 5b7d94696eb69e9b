import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { createDawnEngine } from '../../runtime/engines/dawn/dawnEngine.ts';
import type { StepProgram } from '../../runtime/engines/engine.ts';
import { mixedPrecision } from '../../runtime/ops/mixedPrecision.ts';
import { numbers, onCpuBackend, recorded, type Operation } from '../unit/engines/oracle.ts';
import { engineOfTests, testedEngine } from './testedEngine.ts';

const engine = await engineOfTests();

interface Case {
  /** Rows, inner axis and columns, and how many products. */
  sizes: [number, number, number];
  batch?: number;
  transposed?: 'neither' | 'first' | 'second' | 'both';
  /** What follows the product. */
  then?: (product: tf.Tensor, bias: tf.Tensor) => tf.Tensor;
}

/** Sizes around a tile's, aligned to four elements and not, long inner axes, which are added up in parts, and batches. */
const cases: Record<string, Case> = {
  'one tile and a little': { sizes: [132, 36, 68] },
  'sides that are not whole fours': { sizes: [67, 33, 131], transposed: 'second' },
  'first transposed': { sizes: [130, 20, 64], transposed: 'first' },
  'both transposed, not whole fours': { sizes: [70, 18, 66], transposed: 'both' },
  'a long inner axis': { sizes: [24, 2052, 40], transposed: 'first' },
  'a long inner axis, not whole fours': { sizes: [24, 2049, 39], transposed: 'second' },
  'a batch': { sizes: [37, 16, 37], batch: 6, transposed: 'second' },
  'a batch of one matrix for all': { sizes: [65, 24, 8], batch: 3 },
  'bias and GELU': { sizes: [64, 32, 64], then: (x, bias) => tf.mul(tf.add(x, bias), tf.erf(tf.add(x, bias))) },
  'a residual, reshaped': {
    sizes: [12, 16, 24],
    then: (x, bias) => tf.add(tf.reshape(x, [3, 4, 24]), tf.reshape(bias, [1, 1, 24])),
  },
};

describe(`products of ${testedEngine}`, () => {
  test.each(Object.entries(cases))('%s', async (name, { sizes, batch, transposed = 'neither', then }) => {
    const [rows, inner, columns] = sizes;
    const isFirst = transposed === 'first' || transposed === 'both';
    const isSecond = transposed === 'second' || transposed === 'both';
    const operand = (shape: number[], seed: number) => ({
      shape,
      values: numbers(
        shape.reduce((a, b) => a * b, 1),
        seed,
      ),
    });
    const first = isFirst ? [inner, rows] : [rows, inner];
    const second = isSecond ? [columns, inner] : [inner, columns];
    const isShared = name.includes('one matrix');
    const operation: Operation = (a, b, bias) => {
      const product = tf.matMul(a, b, isFirst, isSecond);
      return then ? then(product, bias) : tf.add(product, bias);
    };
    const inputs = [
      operand(batch && !isShared ? [batch, ...first] : first, 1),
      operand(batch ? [batch, ...second] : second, 2),
      operand([columns], 3),
    ];
    const [expected] = onCpuBackend(operation, inputs);
    const [actual] = await recorded(operation, inputs, 'float32', engine);
    expect(actual!.length).toBe(expected!.length);
    const worst = expected!.reduce((most, value, index) => {
      const difference = Math.abs(value - actual![index]!);
      // NaN is the worst of all.
      return difference <= most ? most : difference;
    }, 0);
    expect(worst).toBeLessThan(2e-6 * Math.sqrt(inner) * 4);
  });
});

// Of another engine they are no skip: there is nothing to refuse.
if (testedEngine === 'dawn') {
  describe('products of dawn that are refused', () => {
    const square = { shape: [64, 64], dtype: 'float32' } as const;
    const programOf = (product: (x: tf.Tensor) => tf.Tensor): StepProgram => ({
      state: {},
      updates: [],
      inputs: { x: square },
      run: (_, { x }) => ({ state: {}, outputs: { y: product(x!) } }),
    });

    test('in mixed precision by a GPU without matrix units', async () => {
      const program = programOf((x) => mixedPrecision(() => tf.matMul(x, x)));
      await expect(engine.compile(program)).rejects.toThrow(
        /offers no matrix units of that precision\. Set runtime\.precision: float32/,
      );
    });

    test('of arrays beyond what the GPU addresses', async () => {
      const small = await createDawnEngine({ adapter: 'a small GPU', available: [], maxBindingBytes: 1000 });
      await expect(small.compile(programOf((x) => tf.matMul(x, x)))).rejects.toThrow(
        /a small GPU addresses at most .* Set runtime\.microBatch/,
      );
      await small.dispose();
    });
  });
}
