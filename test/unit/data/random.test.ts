import { describe, expect, it } from 'vitest';
import { philox, randomStream, shuffled } from '../../../runtime/data/random.ts';

describe('philox', () => {
  // Known answers of Philox4x32-10 from the generator's authors (Random123, kat_vectors).
  it.each([
    [[0, 0, 0, 0], 0, 0, '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], 0xffffffff, 0xffffffff, '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], 0xa4093822, 0x299f31d0, 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('counter %j', (counter, key0, key1, expected) => {
    const out = new Uint32Array(4);
    philox(out, counter, key0, key1);
    expect(Array.from(out, (word) => word.toString(16).padStart(8, '0')).join(' ')).toBe(expected);
  });
});

describe('randomStream', () => {
  it('gives the same numbers for the same name, other numbers for any other', () => {
    const name = { seed: 3, purpose: 'geometry', epoch: 1, image: 7, view: 2 } as const;
    const first = (stream: Parameters<typeof randomStream>[0]) => randomStream(stream).uniform(0, 1);
    const others = [
      { ...name, seed: 4 },
      { ...name, purpose: 'photometry' as const },
      { ...name, epoch: 2 },
      { ...name, image: 8 },
      { ...name, view: 3 },
    ];
    expect(first(name)).toBe(first(name));
    for (const other of others) expect(first(other)).not.toBe(first(name));
  });

  it('is uniform within its bounds', () => {
    const random = randomStream({ seed: 1, purpose: 'geometry' });
    const draws = Array.from({ length: 20_000 }, () => random.uniform(2, 4));
    const mean = draws.reduce((a, b) => a + b) / draws.length;
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(2);
    expect(Math.max(...draws)).toBeLessThan(4);
    // Standard error 0.004.
    expect(Math.abs(mean - 3)).toBeLessThan(0.02);
    const counts = new Array<number>(5).fill(0);
    for (let i = 0; i < 20_000; i++) counts[random.integer(5)]!++;
    for (const count of counts) expect(Math.abs(count - 4000)).toBeLessThan(300);
  });
});

it('shuffled is a permutation', () => {
  const order = shuffled(1000, randomStream({ seed: 0, purpose: 'order' }));
  expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect(Array.from(order.subarray(0, 5))).not.toEqual([0, 1, 2, 3, 4]);
});
