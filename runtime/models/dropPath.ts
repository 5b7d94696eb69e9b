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

/** `floor(keep + u) / keep` for a uniform u in [0, 1). */
export function dropPathFactor(rate: number, uniform: number): number {
  const keep = 1 - rate;
  return Math.floor(keep + uniform) / keep;
}
