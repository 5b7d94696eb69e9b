import * as tf from '@tensorflow/tfjs-core';
import { inSamePrecision } from './mixedPrecision.ts';

export interface Differentiable<Saved extends readonly tf.Tensor[], Output extends tf.Tensor> {
  forward(): { output: Output; saved: Saved };
  /** The gradient of each operand, in their order, from the gradient of the output and what the forward pass saved. */
  backward(dy: Output, saved: Saved): tf.Tensor[];
}

/**
 * An operation with a gradient of its own instead of the one that tfjs composes from kernels: what is kept between the passes, and in which
 * form the backward pass is computed, is then ours to choose. Gradients of operands that nobody asks for cost nothing once recorded.
 *
 * @param operands what is differentiated by; `forward` uses them by closure
 */
export function withGradient<const Saved extends readonly tf.Tensor[], Output extends tf.Tensor>(
  operands: tf.Tensor[],
  { forward, backward }: Differentiable<Saved, Output>,
): Output {
  const operation = tf.customGrad<Output>((...args) => {
    const { output, saved } = forward();
    const inPrecisionOfForward = inSamePrecision();
    const save = args.at(-1) as tf.GradSaveFunc;
    save([...saved]);
    return {
      value: output,
      gradFunc: (dy, kept) => inPrecisionOfForward(() => backward(dy, kept as unknown as Saved)),
    };
  });
  return operation(...operands);
}
