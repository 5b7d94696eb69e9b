/** One Chart.js chart: built once, fed with decimated points, restyled when the theme changes. */
import type { ChartDataset, ChartOptions, Scale } from 'chart.js';
import { Chart, Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement } from 'chart.js';
import type { AnnotationOptions } from 'chartjs-plugin-annotation';
import annotationPlugin from 'chartjs-plugin-annotation';
import zoomPlugin from 'chartjs-plugin-zoom';
import { formatDuration, formatMetric, formatNumber } from '../../experiments/formatMetric.ts';
import { withAlpha } from '../colour.ts';
import { t } from '../l10n.ts';
import type { Theme } from '../theme.ts';
import { theme } from '../theme.ts';
import type { ChartBoard, Redrawable } from './chartBoard.ts';
import type { ChartSpec } from './chartSpecs.ts';
import { gapLabels } from './gapLabels.ts';
import { lineColour, lineStyle } from './lineStyle.ts';
import type { Plot, PlotLine } from './plotLines.ts';
import { plotLines } from './plotLines.ts';

Chart.register(
  LineController,
  LineElement,
  PointElement,
  LinearScale,
  LogarithmicScale,
  Filler,
  annotationPlugin,
  zoomPlugin,
);

/** The y axis has one width in all charts, so that steps align above each other. */
const yAxisWidthPx = 52;

const rightPaddingPx = 12;
const gapLabelPaddingPx = 3;

/** Room above the plot for the word `resumed`. */
const resumeLabelPx = 16;

export class CardChart implements Redrawable {
  readonly id: string;
  readonly chart: Chart<'line'>;
  plot: Plot | null = null;
  /** Told after every draw: the overlay follows. */
  onDrawn: () => void = () => undefined;

  constructor(
    canvas: HTMLCanvasElement,
    readonly board: ChartBoard,
    readonly spec: ChartSpec,
  ) {
    this.id = spec.id;
    this.chart = new Chart(canvas, { type: 'line', data: { datasets: [] }, options: this.#options() });
  }

  draw(): void {
    const { chart, board, spec } = this;
    const widthPx = chart.chartArea?.width || chart.width || 600;
    this.plot = plotLines(board, spec, widthPx);
    const colours = theme.value;
    chart.data.datasets = this.plot.lines.map((line) => this.#dataset(line, colours));
    chart.options = this.#options();
    chart.update('none');
    this.onDrawn();
  }

  destroy(): void {
    this.board.forget(this);
    this.chart.destroy();
  }

  #dataset(line: PlotLine, colours: Theme): ChartDataset<'line', { x: number; y: number }[]> {
    const { board, spec } = this;
    const several = board.store.runs.value.length > 1;
    const colour = lineColour(line, spec, { several, theme: colours });
    const runDash = several ? lineStyle(line.runIndex, colours).dash : [];
    const highlighted = board.highlighted.value;
    const faded = highlighted !== null && highlighted !== line.run.id;
    const alpha = (line.faint ? 0.22 : 1) * (faded ? 0.15 : 1);
    const { from, to } = board.window();
    const spanPx = (((line.points.at(-1)?.x ?? 0) - (line.points[0]?.x ?? 0)) / (to - from)) * this.chart.width;
    const sparse = line.points.length === 1 || spanPx / line.points.length > 12;
    const isolated = sparse && !line.faint && board.shown.value.length <= 12;
    const dash =
      line.spec.role === 'bound'
        ? [5, 4]
        : line.spec.role === 'second' && (several || colours.highContrast)
          ? [2, 3]
          : runDash;
    const width = this.board.shown.value.length > 12 ? 1.1 : 1.75;
    return {
      data: line.points,
      borderColor: withAlpha(colour, alpha),
      backgroundColor: withAlpha(colour, line.spec.role === 'area' ? 0.22 : 0.07),
      borderWidth: line.faint ? 1 : (highlighted === line.run.id ? 2.75 : width) + (colours.highContrast ? 0.5 : 0),
      borderDash: line.faint ? [] : dash,
      borderJoinStyle: 'round',
      fill:
        line.spec.role === 'area'
          ? line.spec.drawn
            ? '-1'
            : 'origin'
          : line.spec.role === 'main' && !several && !line.faint && spec.lines.length === 1
            ? 'start'
            : false,
      pointRadius: isolated && line.spec.role !== 'bound' ? 2.5 : 0,
      pointBackgroundColor: withAlpha(colour, alpha),
      pointBorderWidth: 0,
      pointHitRadius: 0,
      spanGaps: false,
    };
  }

  #options(): ChartOptions<'line'> {
    const { board, spec } = this;
    const colours = theme.value;
    const logarithmic = board.logarithmic.value.has(spec.id);
    const { from, to } = board.window();
    const font = { family: colours.fontFamily, size: 11 };
    const grid = withAlpha(colours.foreground, colours.highContrast ? 0.25 : 0.09);
    const { metric } = spec.lines[0]!;
    const yAxis = {
      type: logarithmic ? ('logarithmic' as const) : ('linear' as const),
      position: 'left' as const,
      border: { display: false },
      grid: { color: grid, drawTicks: false },
      // A constant, give or take rounding, is a level line and not noise blown up.
      afterDataLimits: (scale: Scale) => {
        const size = Math.max(Math.abs(scale.min), Math.abs(scale.max));
        if (logarithmic || scale.max - scale.min > size * 1e-6) return;
        scale.min -= size > 0 ? size * 0.1 : 1;
        scale.max += size > 0 ? size * 0.1 : 1;
      },
      afterFit: (scale: { width: number }) => {
        scale.width = yAxisWidthPx;
      },
      ticks: {
        color: colours.muted,
        font,
        padding: 6,
        maxTicksLimit: 6,
        callback: (value: string | number) => tickLabel(metric, Number(value)),
      },
    };
    return {
      animation: false,
      parsing: false,
      normalized: true,
      responsive: true,
      maintainAspectRatio: false,
      // The overlay answers the pointer; Chart.js has nothing to search for.
      events: [],
      layout: { padding: { top: this.#namesResumes() ? resumeLabelPx : 6, right: rightPaddingPx } },
      scales: {
        x: {
          type: 'linear',
          min: from,
          max: to,
          border: { color: withAlpha(colours.foreground, 0.25) },
          grid: { display: false },
          ticks: {
            color: colours.muted,
            font,
            maxRotation: 0,
            autoSkipPadding: 24,
            maxTicksLimit: 8,
            callback: (value) => xLabel(board.axis.value, Number(value)),
          },
        },
        y: yAxis,
      },
      plugins: {
        legend: { display: false },
        tooltip: { enabled: false },
        annotation: {
          annotations: this.#annotations(colours),
          clip: !this.#namesResumes(),
          animations: { numbers: { duration: 0 } },
        },
        zoom: {
          limits: { x: { min: board.extent.value.from, max: board.extent.value.to } },
          pan: { enabled: true, mode: 'x', modifierKey: 'shift', onPan: () => this.#adoptZoom() },
          zoom: {
            mode: 'x',
            wheel: { enabled: true, modifierKey: 'ctrl', speed: 0.15 },
            pinch: { enabled: true },
            drag: {
              enabled: true,
              threshold: 6,
              backgroundColor: withAlpha(colours.accent, 0.18),
              borderColor: colours.accent,
              borderWidth: 1,
            },
            onZoom: () => this.#adoptZoom(),
          },
        },
      },
    };
  }

  /** What the gesture did to this chart becomes the window of all. */
  #adoptZoom(): void {
    const { min, max } = this.chart.scales['x']!;
    this.board.zoomTo(min, max);
  }

  /** One chart says in words what the dotted lines of all are. */
  #namesResumes(): boolean {
    const runs = this.board.store.runs.value;
    const [run] = this.board.shown.value;
    const isMarked = runs.length === 1 && run !== undefined && this.board.axis.value !== 'time';
    return this.spec.id === 'loss' && isMarked && run.resumedAtSteps.length > 0;
  }

  #gapLabels(colours: Theme): AnnotationOptions<'label'>[] {
    const { chart, board, plot } = this;
    if (!plot || plot.gaps.length === 0) return [];
    const { from, to } = board.window();
    const plotPx = Math.max(1, chart.width - yAxisWidthPx - rightPaddingPx);
    const { size, family } = gapFont(colours);
    chart.ctx.save();
    chart.ctx.font = `${size}px ${family}`;
    const labels = gapLabels(plot.gaps, {
      toPx: (x) => ((x - from) / (to - from)) * plotPx,
      widthOf: (text) => chart.ctx.measureText(text).width + 2 * gapLabelPaddingPx,
      plotPx,
    });
    chart.ctx.restore();
    return labels.map(({ x, text }) => ({
      type: 'label',
      xValue: from + (x / plotPx) * (to - from),
      yValue: (context) => context.chart.scales['y']?.max ?? 0,
      position: { x: 'center', y: 'start' },
      content: text,
      // Marks stand behind it, and so do curves.
      backgroundColor: withAlpha(colours.background, 0.85),
      color: colours.foreground,
      font: gapFont(colours),
      padding: gapLabelPaddingPx,
    }));
  }

  /** Marks: where the run was resumed, and where values are not finite. */
  #annotations(colours: Theme): Record<string, AnnotationOptions> {
    const marks: Record<string, AnnotationOptions> = {};
    const several = this.board.store.runs.value.length > 1;
    for (const [i, gap] of (this.plot?.gaps ?? []).entries()) {
      marks[`gap${i}`] = {
        type: 'box',
        xMin: gap.from,
        xMax: gap.to,
        backgroundColor: withAlpha(colours.bad, 0.2),
        borderColor: several ? lineStyle(gap.runIndex, colours).colour : colours.bad,
        borderWidth: 1,
      };
    }
    for (const [i, label] of this.#gapLabels(colours).entries()) marks[`gapLabel${i}`] = label;
    const [run] = this.board.shown.value;
    if (!several && run && this.board.axis.value !== 'time') {
      const scale = this.board.axis.value === 'epoch' && run.stepsPerEpoch > 0 ? 1 / run.stepsPerEpoch : 1;
      for (const [i, step] of run.resumedAtSteps.slice(0, 32).entries()) {
        marks[`resume${i}`] = {
          type: 'line',
          scaleID: 'x',
          value: step * scale,
          borderColor: withAlpha(colours.foreground, 0.45),
          borderWidth: 1,
          borderDash: [2, 3],
          label: {
            display: i < 4 && this.#namesResumes(),
            content: t('resumed'),
            // Above the plot: in it the label would cover the line.
            position: 'start',
            yAdjust: -resumeLabelPx + 2,
            backgroundColor: 'transparent',
            color: colours.muted,
            font: { size: 10, family: colours.fontFamily },
            padding: 2,
          },
        };
      }
    }
    return marks;
  }
}

function gapFont({ fontFamily }: Theme): { size: number; family: string } {
  return { size: 10, family: fontFamily };
}

export function xLabel(axis: string, value: number): string {
  return axis === 'time' ? formatDuration(value * 1000) : formatNumber(value, 6);
}

function tickLabel(metric: string, value: number): string {
  return formatMetric(metric, Number(value.toPrecision(6))).replace(/\.0 %$/, ' %');
}
