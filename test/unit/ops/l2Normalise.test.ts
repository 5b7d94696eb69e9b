import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { l2Normalise } from '../../../runtime/ops/l2Normalise.ts';
import { compileFunction } from '../compileFunction.ts';

it('has a finite gradient for a row of zeros, which moves it where it is told to', async () => {
  const run = await compileFunction({ x: [2, 3], dy: [2, 3] }, ({ x, dy }) => {
    const { grads } = tf
      .engine()
      .gradients(() => tf.sum<tf.Scalar>(tf.mul(l2Normalise(x!, { epsilon: 1e-12 }), dy!)), [x!]);
    return { dx: grads[0]! };
  });
  const { dx } = await run({ x: [0, 0, 0, 3, 0, 4], dy: [0, 0, 0, 1, 2, 0] });
  expect(Array.from(dx!.slice(0, 3))).toEqual([0, 0, 0]);
  // (dy - y <y, dy>) / |x| with y = (0.6, 0, 0.8).
  [0.128, 0.4, -0.096].forEach((expected, index) => expect(dx![3 + index]).toBeCloseTo(expected, 12));
  const { dx: pushed } = await run({ x: [0, 0, 0, 1, 0, 0], dy: [1, 0, 0, 0, 0, 0] });
  expect(pushed![0]).toBeCloseTo(1e12, 0);
});
