/**
 * Exponential moving average with bias correction:
 * `s_t = beta s_(t-1) + (1 - beta) y_t`, shown as `s_t / (1 - beta^n)` with n the finite values so far.
 *
 * The average is causal, so the newest point needs no values of the future and appending never changes what was drawn.
 * Values that are not finite give NaN there (a gap) and leave the average as it was.
 */
export function smooth(values: Float64Array, beta: number): Float64Array {
  return extendSmooth({ beta, sum: 0, weight: 0 }, values).smoothed;
}

/** The state between two calls: `sum` is s_t, `weight` is 1 - beta^n. */
export interface SmoothState {
  beta: number;
  sum: number;
  weight: number;
}

/** Continues an average over newly appended values. */
export function extendSmooth(state: SmoothState, values: Float64Array): { smoothed: Float64Array; state: SmoothState } {
  const { beta } = state;
  if (!(beta >= 0 && beta < 1)) throw new Error(`internal: smoothing must be in [0, 1), got ${beta}`);
  let { sum, weight } = state;
  const smoothed = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      smoothed[i] = NaN;
      continue;
    }
    sum = beta * sum + (1 - beta) * value;
    weight = beta * weight + (1 - beta);
    smoothed[i] = sum / weight;
  }
  return { smoothed, state: { beta, sum, weight } };
}
