/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
 *
 * A stream is named by what it is for (seed, purpose, epoch, image, view), not by who draws from it or when, so a crop
 * looks the same whichever worker makes it, in whatever order, and after any resume.
 */
export interface RandomStream {
  /** Uniform double in [low, high). */
  uniform(low: number, high: number): number;
  /** Uniform integer in [0, end). */
  integer(end: number): number;
}

/** What a stream is for; streams of different purposes never share numbers. */
const purposes = {
  order: 1,
  geometry: 2,
  photometry: 3,
  subset: 4,
  synthetic: 5,
  initialisation: 6,
  dropPath: 7,
  masks: 8,
  probe: 9,
} as const;
export type Purpose = keyof typeof purposes;

export interface StreamName {
  seed: number;
  purpose: Purpose;
  epoch?: number;
  image?: number;
  view?: number;
}

/** The stream of that name, from its beginning. */
export function randomStream({ seed, purpose, epoch = 0, image = 0, view = 0 }: StreamName): RandomStream {
  const words = new Uint32Array(4);
  let block = 0;
  let used = 4;
  const next = (): number => {
    if (used === 4) {
      philox(words, [block++, view, image, epoch], seed, purposes[purpose]);
      used = 0;
    }
    return words[used++]! / 2 ** 32;
  };
  return {
    uniform: (low, high) => low + (high - low) * next(),
    integer: (end) => Math.floor(next() * end),
  };
}

/** A permutation of 0..length-1 by Fisher and Yates' shuffle. */
export function shuffled(length: number, random: RandomStream): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}

/** Fills `out` with the four 32-bit words of one Philox4x32-10 block. */
export function philox(out: Uint32Array, counter: readonly number[], key0: number, key1: number): void {
  let [c0, c1, c2, c3] = counter as [number, number, number, number];
  let k0 = key0 >>> 0;
  let k1 = key1 >>> 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0 >>> 0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2 >>> 0);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ k0;
    c2 = high0 ^ c3 ^ k1;
    c1 = low1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** High 32 bits of the product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + (middle >>> 16) + (cross >>> 16);
}
