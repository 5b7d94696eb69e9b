import { describe, expect, it } from 'vitest';
import { randomStream, shuffled } from '../../runtime/data/random.ts';
import { batchMasks, blockMask, mostMaskedPatches } from '../../runtime/models/blockMasks.ts';
import type { MaskDraws } from '../../runtime/models/blockMasks.ts';
import { golden } from './reference.ts';

type Draw = ['uniform', number, number, number] | ['randint', number, number, number] | ['shuffle', number[]];

interface Statistic {
  target: number;
  n: number;
  mean_count: number;
  std_count: number;
  fraction_exactly_target: number;
  fraction_zero: number;
}
interface Reference {
  grid: [number, number];
  traces: { target: number; draws: Draw[]; mask_bits: string; count: number }[];
  statistics: Statistic[];
  collate: { images_per_batch: number; n_tokens: number; draws: Draw[]; masks_bits: string[]; upperbound: number };
  collate_statistics: {
    batches: number;
    images_per_batch: number;
    fraction_of_images_masked: number;
    mean_ratio_of_masked_images: number;
  };
}

/** Answers with what was recorded, and insists on being asked the same. */
function replay(draws: Draw[]): { draws: MaskDraws; done: () => boolean } {
  let at = 0;
  const next = (kind: 'uniform' | 'randint') => {
    const draw = draws[at++];
    if (draw?.[0] !== kind) throw new Error(`Draw ${at - 1} was ${draw?.[0]}, now ${kind}.`);
    return draw;
  };
  return {
    draws: {
      uniform: (low, high) => {
        const [, a, b, u] = next('uniform');
        expect(a).toBeCloseTo(low, 12);
        expect(b).toBeCloseTo(high, 12);
        return low + (high - low) * u;
      },
      integer: (end) => {
        const [, a, b, value] = next('randint');
        expect([a, b]).toEqual([0, end - 1]);
        return value;
      },
    },
    done: () => at === draws.length,
  };
}

const bitsOf = (hidden: number[], patches: number) =>
  Array.from({ length: patches }, (_, patch) => (hidden.includes(patch) ? '1' : '0')).join('');

golden<Reference>('block_masks', ({ grid: [rows, columns], traces, statistics, collate, collate_statistics }) => {
  const grid = { rows, columns };

  it.each(traces)('replays the trace of $target patches', ({ target, draws, mask_bits, count }) => {
    const recorded = replay(draws);
    const hidden = blockMask(target, grid, recorded.draws);
    expect(hidden.length).toBe(count);
    expect(bitsOf(hidden, rows * columns)).toBe(mask_bits);
    expect(recorded.done()).toBe(true);
  });

  it('replays a whole batch', () => {
    const order = collate.draws.find((draw) => draw[0] === 'shuffle')![1];
    const recorded = replay(collate.draws.filter((draw) => draw[0] !== 'shuffle'));
    const options = { ...grid, images: 2 * collate.images_per_batch, maskedShare: 0.5, ratio: [0.1, 0.5] as const };
    const masks = batchMasks(options, recorded.draws, order);
    expect(masks.map((hidden) => bitsOf(hidden, collate.n_tokens))).toEqual(collate.masks_bits);
    expect(recorded.done()).toBe(true);
    expect(Math.max(...masks.map((hidden) => hidden.length))).toBeLessThanOrEqual(mostMaskedPatches(options));
  });

  describe('statistics of masks of our own draws, within four standard errors', () => {
    it.each(statistics)('$target patches', ({ target, n, mean_count, std_count, fraction_exactly_target, fraction_zero }) => {
      const stream = randomStream({ seed: 1, purpose: 'masks', image: target });
      const counts = Array.from({ length: n }, () => blockMask(target, grid, stream).length);
      const share = (of: (count: number) => boolean) => counts.filter(of).length / n;
      const mean = counts.reduce((sum, count) => sum + count, 0) / n;
      // Both sides are means of n draws.
      const error = (std: number) => 4 * std * Math.sqrt(2 / n) + 1e-12;
      const ofShare = (p: number) => error(Math.sqrt(p * (1 - p)));
      expect(Math.abs(mean - mean_count)).toBeLessThanOrEqual(error(std_count));
      const exact = share((count) => count === target);
      expect(Math.abs(exact - fraction_exactly_target)).toBeLessThanOrEqual(ofShare(fraction_exactly_target));
      expect(Math.abs(share((count) => count === 0) - fraction_zero)).toBeLessThanOrEqual(ofShare(fraction_zero));
      expect(Math.max(...counts)).toBeLessThanOrEqual(target);
    });

    it('whole batches', () => {
      const { batches, images_per_batch, fraction_of_images_masked, mean_ratio_of_masked_images } = collate_statistics;
      const images = 2 * images_per_batch;
      const ratios: number[] = [];
      for (let batch = 0; batch < batches; batch++) {
        const stream = randomStream({ seed: 2, purpose: 'masks', epoch: batch });
        const options = { ...grid, images, maskedShare: 0.5, ratio: [0.1, 0.5] as const };
        const masks = batchMasks(options, stream, shuffled(images, stream));
        const masked = masks.filter((hidden) => hidden.length > 0);
        expect(masked.length / images).toBeCloseTo(fraction_of_images_masked, 12);
        ratios.push(...masked.map((hidden) => hidden.length / (rows * columns)));
      }
      const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
      // Uniform over a range of 0.4.
      const standardError = (0.4 / Math.sqrt(12)) * Math.sqrt(2 / ratios.length);
      expect(Math.abs(mean - mean_ratio_of_masked_images)).toBeLessThan(4 * standardError);
    });
  });
});
