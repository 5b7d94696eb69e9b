import type { Streamed } from './dataset.ts';
import { randomStream, shuffled } from './random.ts';

const keptOrders = 2;

/**
 * The order in which an epoch visits the images of a split: a permutation drawn from (seed, epoch), or the one in which a
 * streamed split can be read. The latest orders are kept.
 */
export function epochOrder(size: number, seed: number, streamed?: Streamed): (epoch: number) => Uint32Array {
  const orders = new Map<number, Uint32Array>();
  return (epoch) => {
    const known = orders.get(epoch);
    if (known !== undefined) return known;
    const order = streamed?.order(seed, epoch) ?? shuffled(size, randomStream({ seed, purpose: 'order', epoch }));
    orders.set(epoch, order);
    if (orders.size > keptOrders) orders.delete(Math.min(...orders.keys()));
    return order;
  };
}
