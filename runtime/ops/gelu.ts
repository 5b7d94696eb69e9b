import * as tf from '@tensorflow/tfjs-core';
import { recompute } from './recompute.ts';
import { withGradient } from './withGradient.ts';

/**
 * Exact GELU (Gaussian error linear unit): `y = x/2 (1 + erf(x / sqrt 2))`. Any shape.
 *
 * Nothing but x is kept: erf is computed again for the gradient, `dy/dx = 1/2 (1 + erf s) + s e^(-s^2) / sqrt pi`, s = x / sqrt 2.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return withGradient<readonly [T], T>([x], {
    forward: () => ({ output: tf.mul<T>(tf.mul(x, 0.5), onePlusErf(tf.mul(x, Math.SQRT1_2))), saved: [x] }),
    backward: (dy, [kept]) =>
      recompute(() => {
        const s = tf.mul(kept, Math.SQRT1_2);
        return [tf.mul(tf.mul(dy, 0.5), tf.add(onePlusErf(s), bump(s)))];
      }),
  });
}

/** Twice the normal distribution function: `1 + erf s`. */
export function onePlusErf<T extends tf.Tensor>(s: T): T {
  return tf.add(tf.erf(s), 1);
}

/** `s d/ds erf(s) = 2/sqrt(pi) s e^(-s^2)`, the factor inside the exponent: one pass over memory less. */
export function bump<T extends tf.Tensor>(s: T): T {
  return tf.mul(s, tf.exp(tf.sub(Math.log(2 / Math.sqrt(Math.PI)), tf.square(s))));
}
