import * as tf from '@tensorflow/tfjs-core';

export interface AdamMoments<T extends tf.Tensor = tf.Tensor> {
  /** Moving average of the gradient. */
  first: T;
  /** Moving average of its square. */
  second: T;
}

/** Numbers of the step, as scalar tensors: they change every step while the graph stays. */
export interface AdamScalars {
  lr: tf.Scalar;
  /** 1 - beta1^t, t counting updates of this parameter from 1. */
  biasCorrection1: tf.Scalar;
  /** 1 - beta2^t. */
  biasCorrection2: tf.Scalar;
  /** 1 to update, 0 to return everything as it was; the gradient must be finite either way. */
  gate: tf.Scalar;
}

export interface AdamOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
}

/**
 * One AdamW step (decoupled weight decay) of one tensor; returns new state and changes nothing:
 *
 *     m <- m + (1 - beta1) (g - m)          v <- v + (1 - beta2) (g^2 - v)
 *     theta <- theta (1 - lr weightDecay) - lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * The gate multiplies lr, 1 - beta1 and 1 - beta2, which are scalars: an update that is not made costs nothing per element.
 *
 * @param options.weightDecay absent: this tensor is not decayed
 */
export function adamw<T extends tf.Tensor>(
  parameter: T,
  gradient: T,
  moments: AdamMoments<T>,
  { lr, biasCorrection1, biasCorrection2, gate }: AdamScalars,
  { beta1, beta2, epsilon, weightDecay }: AdamOptions & { weightDecay?: tf.Scalar },
): { parameter: T; moments: AdamMoments<T> } {
  const gatedLr = tf.mul(lr, gate);
  const first = towards(moments.first, gradient, tf.mul(gate, 1 - beta1));
  const second = towards(moments.second, tf.square(gradient), tf.mul(gate, 1 - beta2));
  // With c = sqrt(1 - beta2^t), sqrt(v / c^2) + epsilon = (sqrt(v) + c epsilon) / c: bias corrections are left to scalars.
  const root = tf.sqrt(biasCorrection2);
  const direction = tf.div(first, tf.add(tf.sqrt(second), tf.mul(root, epsilon)));
  const update = tf.mul(direction, tf.mul(gatedLr, tf.div(root, biasCorrection1)));
  const decayed = weightDecay ? tf.mul(parameter, tf.sub(1, tf.mul(gatedLr, weightDecay))) : parameter;
  return { parameter: tf.sub<T>(decayed, update), moments: { first: first as T, second: second as T } };
}

/** The bias corrections of update t (from 1) as numbers. */
export function biasCorrections(
  update: number,
  { beta1, beta2 }: Pick<AdamOptions, 'beta1' | 'beta2'>,
): { biasCorrection1: number; biasCorrection2: number } {
  return { biasCorrection1: 1 - beta1 ** update, biasCorrection2: 1 - beta2 ** update };
}

function towards(average: tf.Tensor, value: tf.Tensor, rate: tf.Tensor): tf.Tensor {
  return tf.add(average, tf.mul(rate, tf.sub(value, average)));
}
