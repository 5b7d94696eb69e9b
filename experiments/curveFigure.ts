/** A metric of some runs as a figure, without a browser: the lines that the panel of curves draws, on white. */
import type { RunSummary, Series } from '../protocol/panelMessages.ts';
import { metricInfo } from './compare.ts';
import { metricLabels } from './metricLabels.ts';
import { drawnPoints, rawLineLimit, smoothingFor } from './drawnPoints.ts';
import { indexExtremes } from './extremes.ts';
import type { Figure, FigureLine } from './figureSvg.ts';
import { smooth } from './smooth.ts';
import { pausesOf, xColumn, type XAxis } from './xAxis.ts';

export interface CurveFigureOptions {
  metric: string;
  axis: XAxis;
  /** Smoothing factor of the moving average, 0 for none. */
  beta: number;
  logarithmicY: boolean;
  widthPx: number;
  heightPx: number;
}

/** Each with a contrast of 3 or more against white; beyond ten lines they come again, dashed. */
export const lineColours = [
  '#1a73d9',
  '#c2600a',
  '#2c8a3d',
  '#7a3fc0',
  '#d1322a',
  '#937000',
  '#0e8592',
  '#c2499a',
  '#8c6d31',
  '#5b5bd6',
];

/** The figure; runs that have not logged the metric are left out of it. */
export function curveFigure(
  runs: readonly { summary: RunSummary; series: readonly Series[] }[],
  { metric, axis, beta, logarithmicY, widthPx, heightPx }: CurveFigureOptions,
): Figure {
  const curves = runs.flatMap(({ summary, series }, index) => {
    const curve = series.find((one) => one.metric === metric);
    if (!curve || curve.value.length === 0) return [];
    // A run's clock is that of its densest curve, as in the panel.
    const densest = series.reduce((a, b) => (b.value.length > a.value.length ? b : a));
    const starts = series.filter(({ time }) => time.length > 0).map(({ time }) => time[0]!);
    const clock = { startMs: Math.min(...starts), pauses: pausesOf(densest, summary.resumedAtSteps) };
    return [{ summary, index, values: curve.value, x: xColumn(curve, axis, clock) }];
  });
  const window = {
    from: Math.min(...curves.map(({ x }) => x[0]!)),
    to: Math.max(...curves.map(({ x }) => x.at(-1)!)),
  };
  const lines = curves.flatMap(({ summary, index, values, x }): FigureLine[] => {
    const smoothing = smoothingFor(values.length, beta);
    const line = (drawn: Float64Array, faint: boolean): FigureLine => {
      const { points } = drawnPoints(x, indexExtremes(drawn), {
        window,
        buckets: Math.ceil(widthPx / 2),
        logarithmic: logarithmicY,
      });
      return {
        label: summary.name,
        colour: lineColours[index % lineColours.length]!,
        faint,
        dashed: index >= lineColours.length,
        x: points.map((point) => point.x),
        y: points.map((point) => point.y),
      };
    };
    const raw = smoothing > 0 && curves.length <= rawLineLimit ? [line(values, true)] : [];
    return [...raw, line(smoothing > 0 ? smooth(values, smoothing) : values, false)];
  });
  const { unit } = metricInfo(metric);
  const { label } = metricLabels([metric])(metric);
  return {
    title: curves.length === 1 ? `${label}, ${curves[0]!.summary.name}` : label,
    xLabel: axis === 'time' ? 'training time in s' : axis,
    yLabel: [label, unit].filter(Boolean).join(' in '),
    logarithmicY,
    // Averages above every raw line.
    lines: lines.sort((a, b) => Number(b.faint) - Number(a.faint)),
    widthPx,
    heightPx,
  };
}
