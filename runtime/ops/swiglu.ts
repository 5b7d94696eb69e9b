import * as tf from '@tensorflow/tfjs-core';
import { linear } from './linear.ts';
import { recompute } from './recompute.ts';
import { withGradient } from './withGradient.ts';

export interface SwigluParameters {
  /** Both first layers in one: the gates' rows, then the values'. */
  weight12_HI: tf.Tensor2D;
  bias12_H: tf.Tensor1D;
  weight3_OH: tf.Tensor2D;
  bias3_O: tf.Tensor1D;
}

/**
 * The gated feed-forward part of DINOv2's giant: `y = (silu(a) b) W3^T + c3`, where `[a, b] = x W12^T + c12` and `silu(a) = a / (1 + e^-a)`.
 *
 * @param x [..., I]
 * @returns [..., O]
 */
export function swiglu(x: tf.Tensor, { weight12_HI, bias12_H, weight3_OH, bias3_O }: SwigluParameters): tf.Tensor {
  return linear(gate(linear(x, weight12_HI, bias12_H)), weight3_OH, bias3_O);
}

/**
 * `silu(a) b` of the halves a and b of the last axis. Only the halves are kept: with s = 1 / (1 + e^-a), computed again,
 * `d silu(a)/da = s (1 + a (1 - s))`.
 */
function gate(halves: tf.Tensor): tf.Tensor {
  return withGradient([halves], {
    forward() {
      const [a, b] = tf.split(halves, 2, -1) as [tf.Tensor, tf.Tensor];
      return { output: tf.mul(tf.mul(a, tf.sigmoid(a)), b), saved: [a, b] };
    },
    backward: (dy, [a, b]) =>
      recompute(() => {
        const s = tf.sigmoid(a);
        const slope = tf.mul(s, tf.add(1, tf.mul(a, tf.sub(1, s))));
        return [tf.concat([tf.mul(dy, tf.mul(b, slope)), tf.mul(dy, tf.mul(a, s))], -1)];
      }),
  });
}
