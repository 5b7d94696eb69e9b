/** From curves to the points of one chart, in the window on show. */
import { firstAtLeast } from '../../experiments/decimate.ts';
import { drawnPoints, rawLineLimit, smoothingFor } from '../../experiments/drawnPoints.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import type { ChartBoard } from './chartBoard.ts';
import type { ChartSpec, LineSpec } from './chartSpecs.ts';
import type { Curve } from './curve.ts';

export interface PlotLine {
  run: RunSummary;
  runIndex: number;
  spec: LineSpec;
  /** The raw line under its average. */
  faint: boolean;
  points: { x: number; y: number }[];
}

export interface Plot {
  lines: PlotLine[];
  /** Values that are not finite, as ranges of x. */
  gaps: { from: number; to: number; nan: number; infinite: number; runIndex: number }[];
  /** Points of the window, and those drawn. */
  total: number;
  drawn: number;
  downsampled: boolean;
  /** Values of zero or less, which a logarithmic axis can't show. */
  belowLog: number;
}

/** About so many points are drawn in one chart, however many runs share it. */
const pointBudget = 24_000;
/** About so many marks of values that are not finite are drawn in one chart. */
const marksBudget = 200;
export function plotLines(board: ChartBoard, spec: ChartSpec, widthPx: number): Plot {
  const runs = board.shown.value;
  const window = board.window();
  const beta = board.beta.value;
  const logarithmic = board.logarithmic.value.has(spec.id);
  const plot: Plot = { lines: [], gaps: [], total: 0, drawn: 0, downsampled: false, belowLog: 0 };
  const perLine = pointBudget / Math.max(1, runs.length * spec.lines.length * 2);
  const buckets = Math.max(24, Math.floor(Math.min(widthPx / 2, perLine / 4)));
  const near = (window.to - window.from) / Math.max(8, marksBudget / runs.length);
  for (const run of runs) {
    const runIndex = board.indexOf(run.id);
    for (const line of spec.lines) {
      const curve = board.store.curve(run.id, line.drawn ?? line.metric);
      if (!curve || curve.length === 0) continue;
      const x = curve.x(board.axis.value, board.store.clock(run));
      const smoothing = smoothingOf(line, curve, beta);
      const trace = (part: number, faint: boolean): void => {
        const options = { window, buckets, logarithmic };
        const { points, downsampled, total, belowLog } = drawnPoints(x, curve.drawn(part), options);
        plot.lines.push({ run, runIndex, spec: line, faint, points });
        plot.downsampled ||= downsampled;
        plot.drawn += points.length;
        plot.belowLog += belowLog;
        if (!faint || smoothing === 0) plot.total += total;
      };
      if (smoothing > 0 && runs.length <= rawLineLimit && line.role !== 'area' && line.role !== 'total') trace(0, true);
      trace(smoothing, false);
      if (line === spec.lines[0]) plot.gaps.push(...gapsOf(curve, x, { window, near, runIndex }));
    }
  }
  // Averages above every raw line.
  plot.lines.sort((a, b) => Number(b.faint) - Number(a.faint));
  return plot;
}

/** The smoothing in force for a line: none for bounds, and none for the few points of an evaluation. */
export function smoothingOf({ role }: LineSpec, curve: Curve, beta: number): number {
  return role === 'bound' ? 0 : smoothingFor(curve.length, beta);
}

/** The ranges of values that are not finite; neighbours closer than `near` on the x axis are one. */
function gapsOf(
  curve: Curve,
  x: Float64Array,
  { window, near, runIndex }: { window: { from: number; to: number }; near: number; runIndex: number },
): Plot['gaps'] {
  const { values, levels } = curve.drawn(0);
  const anywhere = levels.length === 0 || levels.at(-1)!.gap.some((gap) => gap >= 0);
  if (!anywhere) return [];
  const gaps: Plot['gaps'] = [];
  const end = firstAtLeast(x, window.to);
  for (let i = firstAtLeast(x, window.from); i < Math.min(values.length, end + 1); i++) {
    if (Number.isFinite(values[i]!)) continue;
    const isNan = Number.isNaN(values[i]!);
    const last = gaps.at(-1);
    if (last && x[i]! - last.to <= near) {
      last.to = x[i]!;
      last.nan += Number(isNan);
      last.infinite += Number(!isNan);
    } else {
      gaps.push({ from: x[i]!, to: x[i]!, nan: Number(isNan), infinite: Number(!isNan), runIndex });
    }
  }
  return gaps;
}
