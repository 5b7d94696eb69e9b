/**
 * Which points of a curve to draw so that nothing seen at full resolution is lost: in each of `buckets` equal parts of
 * the visible x range, the first, smallest, largest and last value. A spike of one step survives any zoom, and a bucket
 * with a value that is not finite keeps one, so that the line breaks there.
 */
import type { Extremes } from './extremes.ts';
import { rangeExtremes } from './extremes.ts';

export interface Window {
  from: number;
  to: number;
}

export interface Decimated {
  /** Positions to draw, ascending; one point either side of the window is included, so that lines reach its edges. */
  indices: Int32Array;
  /** Whether points of the window were left out. */
  downsampled: boolean;
  /** Points of the window. */
  total: number;
}

/** `x` ascends (repetitions allowed); `extremes` is the index of the values drawn over it. */
export function decimate(x: Float64Array, extremes: Extremes, window: Window, buckets: number): Decimated {
  const first = firstAtLeast(x, window.from);
  const end = firstAbove(x, window.to);
  const start = Math.max(0, first - 1);
  const stop = Math.min(x.length, end + 1);
  const total = Math.max(0, end - first);
  if (stop - start <= 4 * buckets) {
    return { indices: Int32Array.from({ length: stop - start }, (_, i) => start + i), downsampled: false, total };
  }
  const indices = new Int32Array(5 * buckets + 2);
  let count = 0;
  const push = (index: number): void => {
    if (index >= 0 && (count === 0 || index > indices[count - 1]!)) indices[count++] = index;
  };
  if (start < first) push(start);
  const width = (window.to - window.from) / buckets;
  let from = first;
  for (let bucket = 0; bucket < buckets && from < end; bucket++) {
    const to = bucket === buckets - 1 ? end : firstAtLeast(x, window.from + (bucket + 1) * width, from, end);
    if (to <= from) continue;
    const { low, high, gap } = rangeExtremes(extremes, from, to);
    for (const index of ascending(from, low, high, gap, to - 1)) push(index);
    from = to;
  }
  if (end < x.length) push(end);
  return { indices: indices.slice(0, count), downsampled: count < stop - start, total };
}

/** Position of the first x >= bound in [from, to); `to` when there is none. */
export function firstAtLeast(x: Float64Array, bound: number, from = 0, to = x.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Position of the x nearest to `target`; -1 for an empty column. */
export function nearest(x: Float64Array, target: number): number {
  const above = firstAtLeast(x, target);
  if (above === 0) return x.length === 0 ? -1 : 0;
  if (above === x.length) return above - 1;
  return target - x[above - 1]! <= x[above]! - target ? above - 1 : above;
}

function firstAbove(x: Float64Array, bound: number): number {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (x[middle]! <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function ascending(...positions: number[]): number[] {
  return positions.sort((a, b) => a - b);
}
