import { decimate, type Decimated, type Window } from './decimate.ts';
import type { Extremes } from './extremes.ts';

/** The points of one line of a plot, on a screen or on paper. */
export interface DrawnPoints extends Pick<Decimated, 'downsampled' | 'total'> {
  /** A value that can't be drawn is NaN: the line breaks there. */
  points: { x: number; y: number }[];
  /** Values of zero or less, which a logarithmic axis can't show. */
  belowLog: number;
}

export function drawnPoints(
  x: Float64Array,
  extremes: Extremes,
  { window, buckets, logarithmic }: { window: Window; buckets: number; logarithmic: boolean },
): DrawnPoints {
  const { indices, downsampled, total } = decimate(x, extremes, window, buckets);
  const points = new Array<{ x: number; y: number }>(indices.length);
  let belowLog = 0;
  for (let i = 0; i < indices.length; i++) {
    const y = extremes.values[indices[i]!]!;
    const drawable = Number.isFinite(y) && (!logarithmic || y > 0);
    if (!drawable && Number.isFinite(y)) belowLog++;
    points[i] = { x: x[indices[i]!]!, y: drawable ? y : NaN };
  }
  return { points, downsampled, total, belowLog };
}

/** The smoothing for so many points: the few of an evaluation are shown as they are. */
export function smoothingFor(points: number, beta: number): number {
  return points < 30 ? 0 : beta;
}

/** With more runs than this, faint raw lines would only be a haze. */
export const rawLineLimit = 8;
