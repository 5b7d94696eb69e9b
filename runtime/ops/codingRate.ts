import * as tf from '@tensorflow/tfjs-core';
import { choleskyInverse } from './choleskyInverse.ts';

/**
 * Coding rate of each group of features, in nats: `R = 1/2 logdet(I + scale Z^T Z)`, eq. (7) with
 * scale = d / (m eps^2), m the number of samples that the covariance is divided by.
 *
 * Computed on the smaller of Z^T Z [D,D] and Z Z^T [M,M], which have the same determinant. The gradient is
 * `dR/dZ = scale Z (I + scale Z^T Z)^-1`, taken from the Cholesky factor's inverse rather than through the factorisation.
 *
 * @param z_GMD G groups of M samples of D features, uncentred as in the paper and the authors' code
 * @returns [G]
 */
export function codingRate(z_GMD: tf.Tensor3D, { scale }: { scale: number }): tf.Tensor1D {
  const [, samples, width] = z_GMD.shape;
  const gramOf: 'samples' | 'features' = samples < width ? 'samples' : 'features';
  const size = Math.min(samples, width);

  const rate = tf.customGrad((...args) => {
    const [z, save] = args as unknown as [tf.Tensor3D, tf.GradSaveFunc];
    const gram_GKK = gramOf === 'samples' ? tf.matMul(z, z, false, true) : tf.matMul(z, z, true, false);
    const covariance_GKK = tf.add<tf.Tensor3D>(tf.mul(gram_GKK, scale), identity(size));
    const { inverse_GNN, halfLogDet_G } = choleskyInverse(covariance_GKK);
    save([z, inverse_GNN]);
    return { value: halfLogDet_G, gradFunc: (dy_G, saved) => gradient(dy_G as tf.Tensor1D, saved) };
  });

  /** S^-1 = L^-T L^-1 stands right of Z on features and left of it on samples. */
  function gradient(dy_G: tf.Tensor1D, saved: tf.Tensor[]): tf.Tensor {
    const [z, inverse] = saved as [tf.Tensor3D, tf.Tensor3D];
    const zOverS =
      gramOf === 'samples'
        ? tf.matMul(inverse, tf.matMul(inverse, z), true, false)
        : tf.matMul(tf.matMul(z, inverse, false, true), inverse);
    return tf.mul(zOverS, tf.mul(tf.reshape(dy_G, [-1, 1, 1]), scale));
  }

  return rate(z_GMD) as tf.Tensor1D;
}

function identity(size: number): tf.Tensor2D {
  const entries = Array.from({ length: size * size }, (_, index) => (index % (size + 1) === 0 ? 1 : 0));
  return tf.tensor2d(entries, [size, size]);
}
