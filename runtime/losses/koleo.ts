import * as tf from '@tensorflow/tfjs-core';
import { l2Normalise } from '../ops/l2Normalise.ts';
import { withGradient } from '../ops/withGradient.ts';

const epsilon = 1e-8;

/**
 * KoLeo, DINOv2's term that spreads features: the mean of `-ln |x_i - x_nn(i)|` over unit features, nn(i) the nearest other row. The
 * distance is taken of `x_i - x_nn + 1e-8` in every component, and 1e-8 is added to it, as in DINOv2's code. A repeated row costs much, a
 * single row has no neighbour: the batch must hold two.
 *
 * @param features_BD one row per image, normalised here
 */
export function koleo(features_BD: tf.Tensor2D): tf.Scalar {
  const batch = features_BD.shape[0];
  const unit_BD = l2Normalise(features_BD, { epsilon });
  // Which row is nearest is a choice, through which no gradient flows.
  const nearest_BB = withGradient([unit_BD], {
    forward: () => ({ output: selection(nearestOthers(unit_BD), batch), saved: [] }),
    backward: () => [tf.zerosLike(unit_BD)],
  });
  const difference_BD = tf.add(tf.sub(unit_BD, tf.matMul(nearest_BB, unit_BD)), epsilon);
  const distance_B = tf.sqrt(tf.sum(tf.square(difference_BD), 1));
  return tf.neg(tf.mean(tf.log(tf.add(distance_B, epsilon))));
}

/**
 * KoLeo summed over the views and averaged over `groups` equal parts of the batch, in each of which neighbours are looked for: the
 * authors' code has a part per GPU.
 *
 * @param features_GBD B divided by `groups` must be 2 or more
 */
export function koleoOfViews(features_GBD: tf.Tensor3D, groups: number): tf.Scalar {
  const [views, batch, width] = features_GBD.shape;
  const parts = tf.unstack(tf.reshape(features_GBD, [views * groups, batch / groups, width])) as tf.Tensor2D[];
  return tf.div(tf.addN(parts.map(koleo)), groups);
}

/** For each row the other row of largest inner product. */
export function nearestOthers(unit_BD: tf.Tensor2D): tf.Tensor1D {
  const products_BB = tf.matMul(unit_BD, unit_BD, false, true);
  // Below any cosine: a row is not its own neighbour.
  return tf.argMax(tf.sub(products_BB, tf.mul(tf.eye(unit_BD.shape[0]), 4)), 1);
}

/** Rows of zeros with a 1 at the column chosen: picks rows by a product, whose gradient puts them back. */
function selection(chosen_B: tf.Tensor1D, columns: number): tf.Tensor2D {
  const numbers_1C = tf.reshape(tf.range(0, columns, 1, 'int32'), [1, columns]);
  return tf.cast<tf.Tensor2D>(tf.equal(tf.reshape(chosen_B, [-1, 1]), numbers_1C), 'float32');
}
