import * as tf from '@tensorflow/tfjs-core';

/**
 * Computes values again that a forward pass computed before, rather than keeping them in memory until the backward pass: what `body`
 * builds is not merged with equal values outside. A backend that executes at once recomputes anyway.
 */
export function recompute<T>(body: () => T): T {
  const backend = tf.backend() as tf.KernelBackend & Partial<Recomputes>;
  return backend.recompute ? backend.recompute(body) : body();
}

/** Implemented by backends that would otherwise share equal values. */
export interface Recomputes {
  recompute<T>(body: () => T): T;
}
