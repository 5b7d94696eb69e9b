/**
 * Stochastic depth. The draws are made outside of the graph and enter it as factors, one per residual branch and sample:
 * 0 drops the branch, 1 / (1 - rate) keeps it. A graph without randomness can be recorded, replayed and compared.
 */
import type { Random } from './parameters.ts';

/** Residual branches of a block: attention, then MLP. */
export const branchesPerBlock = 2;

/** Drop rate of each block: linear from 0 to `rate` over the depth, as in the authors' v1 tree. */
export function dropPathRates({ depth, rate }: { depth: number; rate: number }): number[] {
  return Array.from({ length: depth }, (_, block) => (depth === 1 ? 0 : (rate * block) / (depth - 1)));
}

/**
 * Factors of one batch, row-major [depth, 2, samples]: independent draws for each block, branch and sample.
 */
export function dropPathFactors(rates: readonly number[], samples: number, random: Random): Float32Array {
  const factors = new Float32Array(rates.length * branchesPerBlock * samples);
  let at = 0;
  for (const rate of rates) {
    for (let draw = 0; draw < branchesPerBlock * samples; draw++) {
      factors[at++] = dropPathFactor(rate, rate === 0 ? 0 : random());
    }
  }
  return factors;
}

/**
 * The v2 tree's way, row-major [blocks, 2, samples]: every branch runs for exactly `max(int(samples (1 - rate)), 1)` samples, drawn anew for each
 * branch, and is scaled by samples over their number. Its authors skip the other samples' arithmetic; here they are multiplied by 0.
 *
 * @param rates one rate per block; the v2 recipes have the same in all
 * @param permutation a random permutation of the samples, whose first entries are kept
 */
export function batchSubsetFactors(
  rates: readonly number[],
  samples: number,
  permutation: () => ArrayLike<number>,
): Float32Array {
  const factors = new Float32Array(rates.length * branchesPerBlock * samples);
  rates.forEach((rate, block) => {
    const subset = Math.max(Math.trunc(samples * (1 - rate)), 1);
    for (let branch = 0; branch < branchesPerBlock; branch++) {
      const start = (block * branchesPerBlock + branch) * samples;
      const order = permutation();
      for (let kept = 0; kept < subset; kept++) factors[start + order[kept]!] = samples / subset;
    }
  });
  return factors;
}

/** `floor(keep + u) / keep` for a uniform u in [0, 1). */
export function dropPathFactor(rate: number, uniform: number): number {
  const keep = 1 - rate;
  return Math.floor(keep + uniform) / keep;
}
