import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { attention, clsAttention } from '../../../runtime/ops/attention.ts';
import { codingRate } from '../../../runtime/ops/codingRate.ts';
import { gelu } from '../../../runtime/ops/gelu.ts';
import { l2Normalise } from '../../../runtime/ops/l2Normalise.ts';
import { layerNorm } from '../../../runtime/ops/layerNorm.ts';
import { linear } from '../../../runtime/ops/linear.ts';
import { mlp } from '../../../runtime/ops/mlp.ts';
import { patchEmbedding } from '../../../runtime/ops/patchEmbedding.ts';
import { selfAttention } from '../../../runtime/ops/selfAttention.ts';
import { swiglu } from '../../../runtime/ops/swiglu.ts';
import { numbers, onCpuBackend, recorded, type Input, type Operation } from '../engines/oracle.ts';

let seed = 10;
const input = (...shape: number[]): Input => ({
  shape,
  values: numbers(
    shape.reduce((a, b) => a * b, 1),
    seed++,
  ),
});

interface Case {
  /** The operation as the model uses it. */
  operation: (...x: tf.Tensor[]) => tf.Tensor;
  /** The same function of tfjs's own kernels and gradients. */
  plain: (...x: tf.Tensor[]) => tf.Tensor;
  inputs: Input[];
}

const plainLinear = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) =>
  tf.add(
    tf.reshape(tf.matMul(tf.reshape(x, [-1, x.shape.at(-1)!]), weight as tf.Tensor2D, false, true), [
      ...x.shape.slice(0, -1),
      weight.shape[0],
    ]),
    bias,
  );
const plainGelu = (x: tf.Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.div(x, Math.sqrt(2))), 1));
const plainLayerNorm = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor) => {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const deviation = tf.sqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-6));
  return tf.add(tf.mul(tf.div(centred, deviation), weight), bias);
};

const heads = 2;
const cases: Record<string, Case> = {
  linear: {
    operation: (x, weight, bias) => linear(x, weight as tf.Tensor2D, bias as tf.Tensor1D),
    plain: (x, weight, bias) => plainLinear(x, weight, bias),
    inputs: [input(2, 3, 4), input(5, 4), input(5)],
  },
  gelu: { operation: (x) => gelu(x), plain: (x) => plainGelu(tf.mul(x, 1)), inputs: [input(3, 7)] },
  layerNorm: {
    operation: (x, weight, bias) => layerNorm(x, weight as tf.Tensor1D, bias as tf.Tensor1D, { epsilon: 1e-6 }),
    plain: (x, weight, bias) => plainLayerNorm(x, weight, bias),
    inputs: [input(2, 3, 5), input(5), input(5)],
  },
  mlp: {
    operation: (x, weight1, bias1, weight2, bias2) =>
      mlp(x, {
        weight1_HI: weight1 as tf.Tensor2D,
        bias1_H: bias1 as tf.Tensor1D,
        weight2_OH: weight2 as tf.Tensor2D,
        bias2_O: bias2 as tf.Tensor1D,
      }),
    plain: (x, weight1, bias1, weight2, bias2) =>
      plainLinear(plainGelu(plainLinear(x, weight1, bias1)), weight2, bias2),
    inputs: [input(2, 3, 4), input(6, 4), input(6), input(3, 6), input(3)],
  },
  swiglu: {
    operation: (x, weight12, bias12, weight3, bias3) =>
      swiglu(x, {
        weight12_HI: weight12 as tf.Tensor2D,
        bias12_H: bias12 as tf.Tensor1D,
        weight3_OH: weight3 as tf.Tensor2D,
        bias3_O: bias3 as tf.Tensor1D,
      }),
    plain: (x, weight12, bias12, weight3, bias3) => {
      const [a, b] = tf.split(plainLinear(x, weight12, bias12), 2, -1) as [tf.Tensor, tf.Tensor];
      return plainLinear(tf.mul(tf.div(a, tf.add(1, tf.exp(tf.neg(a)))), b), weight3, bias3);
    },
    inputs: [input(2, 3, 4), input(10, 4), input(10), input(3, 5), input(3)],
  },
  selfAttention: {
    operation: (x, qkvWeight, qkvBias, outputWeight, outputBias) =>
      selfAttention(
        x as tf.Tensor3D,
        {
          qkvWeight_ZD: qkvWeight as tf.Tensor2D,
          qkvBias_Z: qkvBias as tf.Tensor1D,
          outputWeight_DD: outputWeight as tf.Tensor2D,
          outputBias_D: outputBias as tf.Tensor1D,
        },
        { heads },
      ),
    plain: (x, qkvWeight, qkvBias, outputWeight, outputBias) =>
      plainLinear(
        attention(plainLinear(x, qkvWeight, qkvBias) as tf.Tensor3D, { heads }).output_BND,
        outputWeight,
        outputBias,
      ),
    inputs: [input(2, 3, 4), input(12, 4), input(12), input(4, 4), input(4)],
  },
  'clsAttention, against row 0 of attention': {
    operation: (x, weight, bias) =>
      clsAttention(x as tf.Tensor3D, weight as tf.Tensor2D, bias as tf.Tensor1D, { heads }).output_BD,
    plain: (x, weight, bias) =>
      tf.squeeze(
        tf.slice(attention(plainLinear(x, weight, bias) as tf.Tensor3D, { heads }).output_BND, [0, 0, 0], [2, 1, 4]),
        [1],
      ),
    inputs: [input(2, 3, 4), input(12, 4), input(12)],
  },
  'codingRate, more samples than features': codingRateCase(6, 3),
  'codingRate, more features than samples': codingRateCase(3, 5),
  'codingRate of one sample': codingRateCase(1, 4),
  l2Normalise: {
    operation: (x) => l2Normalise(x, { epsilon: 1e-12 }),
    plain: (x) => tf.div(x, tf.norm(x, 2, -1, true)),
    inputs: [input(3, 4)],
  },
  'patchEmbedding of rows, columns, channels': patchCase('BHWC'),
  'patchEmbedding of channels, rows, columns': patchCase('BCHW'),
};

/** The determinant expanded without a factorisation: 1/2 ln det(I + a Z^T Z) from the tape through Gaussian elimination. */
function codingRateCase(samples: number, width: number): Case {
  const scale = 1.7;
  return {
    operation: (z) => codingRate(z as tf.Tensor3D, { scale }),
    plain: (z) => {
      const rates = tf.unstack(z as tf.Tensor3D).map((z_MD) => {
        const gram = tf.mul(tf.matMul(z_MD as tf.Tensor2D, z_MD as tf.Tensor2D, true, false), scale);
        let matrix = tf.add(
          gram,
          tf.tensor2d(
            Array.from({ length: width ** 2 }, (_, i) => Number(i % (width + 1) === 0)),
            [width, width],
          ),
        );
        const pivots: tf.Tensor[] = [];
        for (let size = width; size > 0; size--) {
          const pivot = tf.slice(matrix, [0, 0], [1, 1]);
          pivots.push(tf.reshape(tf.log(pivot), []));
          if (size === 1) break;
          const column = tf.slice(matrix, [1, 0], [size - 1, 1]);
          const rest = tf.slice(matrix, [1, 1], [size - 1, size - 1]);
          matrix = tf.sub(rest, tf.div(tf.matMul(column, column, false, true), pivot));
        }
        return tf.mul(tf.addN(pivots), 0.5);
      });
      return tf.stack(rates);
    },
    inputs: [input(2, samples, width)],
  };
}

/** Images of 5 x 7 pixels in patches of 2: a row and a column are dropped. The plain form picks each patch out by slices. */
function patchCase(layout: 'BHWC' | 'BCHW'): Case {
  return {
    operation: (images, weight, bias) =>
      patchEmbedding(images as tf.Tensor4D, weight as tf.Tensor4D, bias as tf.Tensor1D, { layout }),
    plain: (images, weight, bias) => {
      const pixels = layout === 'BHWC' ? tf.transpose(images, [0, 3, 1, 2]) : images;
      const patches = [0, 1].flatMap((row) =>
        [0, 1, 2].map((column) => tf.reshape(tf.slice(pixels, [0, 0, 2 * row, 2 * column], [2, 3, 2, 2]), [2, 12])),
      );
      return plainLinear(tf.stack(patches, 1), tf.reshape(weight, [4, 12]), bias);
    },
    inputs: [layout === 'BHWC' ? input(2, 5, 7, 3) : input(2, 3, 5, 7), input(4, 3, 2, 2), input(4)],
  };
}

/** A fixed weighted sum, so that every element of the result has a gradient of its own. */
function scalarOf(operation: Case['operation']): (...x: tf.Tensor[]) => tf.Scalar {
  return (...x) => {
    const y = operation(...x);
    return tf.sum(tf.mul(y, tf.tensor(numbers(y.size, 99), y.shape)));
  };
}

const valueAndGradients =
  (operation: Case['operation']): Operation =>
  (...x) => {
    const { value, grads } = tf.valueAndGrads(scalarOf(operation))(x);
    return [value, ...grads];
  };

describe.each(Object.entries(cases))('%s', (_name, { operation, plain, inputs }) => {
  test('agrees with its plain form, gradients by the stock tape, in double precision', async () => {
    const ours = await recorded(valueAndGradients(operation), inputs, 'float64');
    const stock = await recorded(valueAndGradients(plain), inputs, 'float64');
    stock.forEach((values, index) => expectClose(ours[index]!, values, 1e-12));
  });

  test('agrees in single precision, and on a backend that computes at once', async () => {
    const exact = await recorded(valueAndGradients(operation), inputs, 'float64');
    const single = await recorded(valueAndGradients(operation), inputs);
    const eager = onCpuBackend(valueAndGradients(operation), inputs);
    exact.forEach((values, index) => {
      expectClose(single[index]!, values, 3e-5);
      expectClose(eager[index]!, values, 3e-5);
    });
  });

  test('has the gradient that finite differences have', async () => {
    const [, ...gradients] = await recorded(valueAndGradients(operation), inputs, 'float64');
    for (const [index, gradient] of gradients.entries()) {
      const differences = await finiteDifferences(scalarOf(operation), inputs, index);
      expectClose(gradient, differences, 1e-7);
    }
  });
});

test('l2Normalise of a row of zeros is zero, and its gradient finite', async () => {
  const zeros = { shape: [1, 3], values: [0, 0, 0] };
  const normalise: Case['operation'] = (x) => l2Normalise(x, { epsilon: 0.5 });
  const [value, gradient] = await recorded(valueAndGradients(normalise), [zeros], 'float64');
  expect(value![0]).toBe(0);
  expectClose(
    gradient!,
    numbers(3, 99).map((weight) => weight / 0.5),
    1e-12,
  );
});

test('mlp in several blocks of unequal length agrees with its plain form', async () => {
  const { operation, plain } = cases['mlp']!;
  const inputs = [input(701, 8), input(1600, 8), input(1600), input(4, 1600), input(4)];
  const ours = await recorded(valueAndGradients(operation), inputs);
  const stock = await recorded(valueAndGradients(plain), inputs);
  stock.forEach((values, index) => {
    const largest = Math.max(...Array.from(values, Math.abs));
    expectClose(
      ours[index]!.map((value) => value / largest),
      values.map((value) => value / largest),
      1e-5,
    );
  });
});

/** Central differences of every element of one input, all in one run: the perturbed copies are stacked. */
async function finiteDifferences(
  f: (...x: tf.Tensor[]) => tf.Scalar,
  inputs: Input[],
  index: number,
): Promise<Float64Array> {
  const { shape, values } = inputs[index]!;
  const step = 1e-5;
  const steps = values.map((_, element) => values.map((__, other) => (other === element ? step : 0)));
  const [result] = await recorded(
    (...x) => {
      const at = (offsets: number[], sign: number) =>
        f(
          ...x.map((tensor, other) =>
            other === index
              ? tf.add(
                  tensor,
                  tf.tensor(
                    offsets.map((o) => sign * o),
                    shape,
                  ),
                )
              : tensor,
          ),
        );
      return tf.stack(steps.map((offsets) => tf.div(tf.sub(at(offsets, 1), at(offsets, -1)), 2 * step)));
    },
    inputs,
    'float64',
  );
  return result as Float64Array;
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let index = 0; index < expected.length; index++) {
    const error = Math.abs(actual[index]! - expected[index]!);
    // NaN fails here.
    expect(
      error <= tolerance * Math.max(1, Math.abs(expected[index]!)),
      `[${index}]: ${actual[index]} against ${expected[index]}`,
    ).toBe(true);
  }
}
