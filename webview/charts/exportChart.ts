/** A chart as a file: figures on white for papers, raw values in full precision. */
import type { Figure } from '../../experiments/figureSvg.ts';
import { figureSvg } from '../../experiments/figureSvg.ts';
import { cssColour, ensureContrast, parseColour } from '../colour.ts';
import { t } from '../l10n.ts';
import type { PanelHost } from '../panelHost.ts';
import { rasterise } from '../rasterise.ts';
import { theme } from '../theme.ts';
import type { ChartBoard } from './chartBoard.ts';
import type { ChartSpec } from './chartSpecs.ts';
import { lineColour, lineStyle } from './lineStyle.ts';
import { plotLines } from './plotLines.ts';

const widthPx = 720;
const heightPx = 420;

export function exportSvg(board: ChartBoard, spec: ChartSpec, host: PanelHost): void {
  const text = figureSvg(figureOf(board, spec));
  host.send({ type: 'export', format: 'svg', fileName: `${spec.id}.svg`, content: { kind: 'text', text } });
}

export async function exportPng(board: ChartBoard, spec: ChartSpec, host: PanelHost): Promise<void> {
  try {
    const bytes = await rasterise(figureSvg(figureOf(board, spec)), { widthPx, heightPx, scale: 3 });
    host.send({ type: 'export', format: 'png', fileName: `${spec.id}.png`, content: { kind: 'bytes', bytes } });
  } catch (error) {
    host.send({ type: 'fault', message: `PNG of ${spec.id}: ${String(error)}` });
  }
}

/** All points of the window: run, step, epoch, Unix time in ms, value. */
export function exportCsv(board: ChartBoard, spec: ChartSpec, host: PanelHost): void {
  const { from, to } = board.window();
  const lines = ['run,metric,step,epoch,timeMs,value'];
  const quote = (field: string) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  for (const run of board.shown.value) {
    for (const { metric } of spec.lines) {
      const curve = board.store.curve(run.id, metric);
      if (!curve) continue;
      const x = curve.x(board.axis.value, board.store.clock(run));
      for (let i = 0; i < curve.length; i++) {
        if (x[i]! < from || x[i]! > to) continue;
        lines.push(
          `${quote(run.name)},${metric},${curve.step[i]},${curve.epoch[i]},${curve.time[i]},${curve.values[i]}`,
        );
      }
    }
  }
  const text = lines.join('\r\n') + '\r\n';
  host.send({ type: 'export', format: 'csv', fileName: `${spec.id}.csv`, content: { kind: 'text', text } });
}

export function figureOf(board: ChartBoard, spec: ChartSpec): Figure {
  const plot = plotLines(board, spec, widthPx);
  const several = board.store.runs.value.length > 1;
  const white = { r: 255, g: 255, b: 255, a: 1 };
  const onWhite = (css: string): string =>
    cssColour(ensureContrast(parseColour(css) ?? { r: 0, g: 0, b: 0, a: 1 }, white, 3));
  return {
    title: spec.title,
    xLabel: board.axis.value === 'time' ? t('training time in s') : t(board.axis.value),
    yLabel: [spec.title, spec.unit].filter(Boolean).join(' in '),
    logarithmicY: board.logarithmic.value.has(spec.id),
    widthPx,
    heightPx,
    lines: plot.lines.map((line) => {
      const colour = lineColour(line, spec, { several, theme: theme.value });
      const dash = several ? lineStyle(line.runIndex, theme.value).dash : [];
      const own = spec.lines.length > 1 ? line.spec.label : '';
      return {
        label: [several ? line.run.name : '', own].filter(Boolean).join(': ') || line.spec.label,
        colour: onWhite(colour),
        faint: line.faint,
        dashed: line.spec.role === 'bound' || dash.length > 0,
        x: line.points.map((point) => point.x),
        y: line.points.map((point) => point.y),
      };
    }),
  };
}
