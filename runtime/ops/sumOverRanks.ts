import * as tf from '@tensorflow/tfjs-core';

/** The kernel that a backend must have for it. */
export const sumOverRanksKernel = 'SumOverRanks';

/**
 * The sum of a tensor over the processes that train together, each of which holds its own.
 *
 * Its gradient is the identity: what is computed from the sum is computed alike by every process, and counts once. So the gradient of a
 * process's own parameters comes out as its own images' share of the whole, and the sum of those shares is the gradient.
 */
export function sumOverRanks<T extends tf.Tensor>(x: T): T {
  const sum = tf.customGrad((...args) => {
    const [operand] = args as [tf.Tensor];
    return {
      value: tf.engine().runKernel<tf.Tensor>(sumOverRanksKernel, { x: operand }),
      gradFunc: (dy: tf.Tensor) => dy,
    };
  });
  return sum(x) as T;
}

export interface OwnShare {
  rank: number;
  ranks: number;
}

/**
 * The images of all processes in the order of their ranks, [.., B / ranks, ..] to [.., B, ..]: each puts its own into zeros, and the sum
 * is everyone's.
 */
export function gatherOverRanks<T extends tf.Tensor>(x: T, { axis, rank, ranks }: OwnShare & { axis: number }): T {
  const own = x.shape[axis]!;
  const paddings = x.shape.map((_, place): [number, number] =>
    place === axis ? [rank * own, (ranks - 1 - rank) * own] : [0, 0],
  );
  return sumOverRanks<T>(tf.pad(x, paddings));
}
