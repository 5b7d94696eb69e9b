import { randomStream, shuffled } from './random.ts';

const keptOrders = 2;

/**
 * The order in which an epoch visits the images of a split: a permutation drawn from (seed, epoch). The latest orders
 * are kept.
 */
export function epochOrder(size: number, seed: number): (epoch: number) => Uint32Array {
  const orders = new Map<number, Uint32Array>();
  return (epoch) => {
    const known = orders.get(epoch);
    if (known !== undefined) return known;
    const order = shuffled(size, randomStream({ seed, purpose: 'order', epoch }));
    orders.set(epoch, order);
    if (orders.size > keptOrders) orders.delete(Math.min(...orders.keys()));
    return order;
  };
}
