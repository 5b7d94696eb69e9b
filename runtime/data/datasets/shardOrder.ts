import { randomStream, shuffled } from '../random.ts';

/** Tells the shuffle within a window from the shuffle of the shards, which has the stream without it. */
const windowStream = 1;

/** Images shard by shard: the order in which they are read, and the one in which they are used. */
export interface ShardOrder {
  /** Shards in a seeded order, the images of each in the archive's. */
  reading_N: Uint32Array;
  /** The same, shuffled by drawing from a window of `windowImages` that slides over them. */
  using_N: Uint32Array;
}

/**
 * The order of an epoch for shards that are read from front to back. Both are permutations of the split drawn from (seed,
 * epoch) alone. The image at place p of `using_N` is among the first p + windowImages of `reading_N`, so that a reader
 * never holds more than the window.
 *
 * @param shardEnds images of all shards up to and including each
 */
export function shardOrder(
  shardEnds: readonly number[],
  windowImages: number,
  { seed, epoch }: { seed: number; epoch: number },
): ShardOrder {
  const size = shardEnds.at(-1) ?? 0;
  const reading_N = new Uint32Array(size);
  let place = 0;
  for (const shard of shuffled(shardEnds.length, randomStream({ seed, purpose: 'order', epoch })))
    for (let image = shard === 0 ? 0 : shardEnds[shard - 1]!; image < shardEnds[shard]!; image++)
      reading_N[place++] = image;

  const random = randomStream({ seed, purpose: 'order', epoch, image: windowStream });
  const using_N = new Uint32Array(size);
  const window = reading_N.slice(0, windowImages);
  let filled = window.length;
  for (let out = 0; out < size; out++) {
    const drawn = random.integer(filled);
    using_N[out] = window[drawn]!;
    const next = filled + out;
    if (next < size && filled === window.length) window[drawn] = reading_N[next]!;
    else window[drawn] = window[--filled]!;
  }
  return { reading_N, using_N };
}
