/** Confidence of a mean over few seeds. */

export interface MeanInterval {
  n: number;
  mean: number;
  /** Sample standard deviation (n - 1); null for n < 2. */
  std: number | null;
  /** Half the width of the 95 % confidence interval of the mean, by Student's t; null for n < 2. */
  ci95: number | null;
}

/** Mean with its interval: `mean +- t_(0.975, n-1) std / sqrt(n)`. `values` holds finite numbers, at least one. */
export function meanInterval(values: readonly number[]): MeanInterval {
  const n = values.length;
  if (n === 0) throw new Error('internal: the mean of no values');
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return { n, mean, std: null, ci95: null };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const std = Math.sqrt(variance);
  return { n, mean, std, ci95: (studentT975(n - 1) * std) / Math.sqrt(n) };
}

/**
 * The 97.5 % quantile of Student's t. Tabulated up to 10 degrees of freedom, beyond by the Cornish-Fisher expansion
 * around the normal quantile (error below 1e-5 there).
 */
export function studentT975(degreesOfFreedom: number): number {
  const tabulated = small[degreesOfFreedom - 1];
  if (tabulated !== undefined) return tabulated;
  const v = degreesOfFreedom;
  const z = 1.959963984540054;
  const g1 = (z ** 3 + z) / 4;
  const g2 = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const g3 = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  const g4 = (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160;
  return z + g1 / v + g2 / v ** 2 + g3 / v ** 3 + g4 / v ** 4;
}

const small = [12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139];
