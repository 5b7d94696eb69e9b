import * as tf from '@tensorflow/tfjs-core';

/** Implemented by backends that record for executors whose products may round their operands to 16 bits. */
export interface MixesPrecision {
  readonly isMixed: boolean;
  mixedPrecision<T>(body: () => T): T;
}

/**
 * Lets products inside `body` round their operands to 16 bits, as the authors' automatic mixed precision does; sums, and all that is no
 * product, stay as they are. An executor without it computes as ever.
 */
export function mixedPrecision<T>(body: () => T): T {
  const backend = tf.backend() as tf.KernelBackend & Partial<MixesPrecision>;
  return backend.mixedPrecision ? backend.mixedPrecision(body) : body();
}

/** What makes a later computation, a backward pass, as precise as what is computed now. */
export function inSamePrecision(): <T>(body: () => T) => T {
  const { isMixed = false } = tf.backend() as tf.KernelBackend & Partial<MixesPrecision>;
  return isMixed ? mixedPrecision : (body) => body();
}
