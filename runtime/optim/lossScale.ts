/**
 * Dynamic loss scaling: gradients that pass through 16-bit operands are computed of the loss times a power of two, lest small ones become
 * zero, and divided by it afterwards. The scale halves when a gradient overflows, an update that is then left out, and doubles after
 * so many updates in a row. Start, factors and interval are those of the authors' gradient scaler (PyTorch's defaults, v1 tree).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { TensorSpec, Tensors } from '../engines/engine.ts';

const START = 65536;
const GROWTH_STEPS = 2000;
/** Below it, no scale is to blame for a gradient that is not finite. */
export const SMALLEST_LOSS_SCALE = 1;

const scalar: TensorSpec = { shape: [], dtype: 'float32' };

/** Zeros, as where a checkpoint has no scale yet, mean the start. */
export const lossScaleState: Readonly<Record<string, TensorSpec>> = {
  'lossScale.value': scalar,
  'lossScale.steps': scalar,
};

export function lossScaleOf(state: Tensors): tf.Scalar {
  const value = state['lossScale.value'] as tf.Scalar;
  return tf.where(tf.greater(value, 0), value, START);
}

/** @param gate 1 if the update was made, 0 if its gradient was not finite */
export function nextLossScale(state: Tensors, gate: tf.Scalar): Tensors {
  const scale = lossScaleOf(state);
  const isMade = tf.greater(gate, 0);
  const steps = tf.mul(tf.add(state['lossScale.steps']!, 1), gate);
  const isDue = tf.greaterEqual(steps, GROWTH_STEPS);
  return {
    'lossScale.value': tf.where(isMade, tf.where(isDue, tf.mul(scale, 2), scale), tf.mul(scale, 0.5)),
    'lossScale.steps': tf.where(isDue, 0, steps),
  };
}
