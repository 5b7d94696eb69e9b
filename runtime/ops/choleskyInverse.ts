import * as tf from '@tensorflow/tfjs-core';

/** Implemented by backends that factorise small matrices in one operation, the kernel `CholeskyInverse`. */
export interface Factorises {
  /** The largest size that they take whole; absent: none. */
  readonly largestFactor: number | undefined;
}

export interface CholeskyInverse {
  /** L^-1 with A = L L^T, lower triangular. */
  inverse_GNN: tf.Tensor3D;
  /** Sum of ln L_ii = 1/2 ln det A. */
  halfLogDet_G: tf.Tensor1D;
}

/**
 * Inverse Cholesky factor of symmetric positive definite matrices, by halves, unrolled into products:
 *
 *     A = [A11  .  ]   L21 = A21 L11^-T        L^-1 = [ L11^-1              .     ]
 *         [A21  A22]   S   = A22 - L21 L21^T          [-L22^-1 L21 L11^-1   L22^-1]
 *
 * with L22 the factor of S. A loop over columns would be N dependent steps of an interpreter; here nearly all the arithmetic is in a few
 * large products, and what the gradient of a log-determinant needs (L^-1) comes out directly. Each L is the true factor of its block, so
 * that rounding behaves as in the column algorithm, ill-conditioned matrices included.
 *
 * The halves end at single numbers, or at the size that the backend factorises whole.
 *
 * A matrix that is not positive definite yields NaN.
 */
export function choleskyInverse(a_GNN: tf.Tensor3D): CholeskyInverse {
  const [groups, size] = a_GNN.shape;
  const { largestFactor = 1 } = tf.backend() as tf.KernelBackend & Partial<Factorises>;
  if (size > 1 && size <= largestFactor) {
    const [inverse_GNN, halfLogDet_G] = tf
      .engine()
      .runKernel<[tf.Tensor3D, tf.Tensor1D]>('CholeskyInverse', { a: a_GNN });
    return { inverse_GNN, halfLogDet_G };
  }
  if (size === 1) {
    return {
      inverse_GNN: tf.rsqrt(a_GNN),
      halfLogDet_G: tf.reshape(tf.mul(tf.log(a_GNN), 0.5), [groups]),
    };
  }
  const upper = size >> 1;
  const lower = size - upper;
  const a11 = tf.slice(a_GNN, [0, 0, 0], [groups, upper, upper]);
  const a21 = tf.slice(a_GNN, [0, upper, 0], [groups, lower, upper]);
  const a22 = tf.slice(a_GNN, [0, upper, upper], [groups, lower, lower]);

  const first = choleskyInverse(a11);
  const l21 = tf.matMul(a21, first.inverse_GNN, false, true);
  const second = choleskyInverse(tf.sub(a22, tf.matMul(l21, l21, false, true)));
  const corner = tf.neg(tf.matMul(second.inverse_GNN, tf.matMul(l21, first.inverse_GNN)));

  const upperRows = tf.concat([first.inverse_GNN, tf.zeros([groups, upper, lower])], 2);
  const lowerRows = tf.concat([corner, second.inverse_GNN], 2);
  return {
    inverse_GNN: tf.concat([upperRows, lowerRows], 1) as tf.Tensor3D,
    halfLogDet_G: tf.add(first.halfLogDet_G, second.halfLogDet_G),
  };
}
