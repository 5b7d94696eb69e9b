import { gridTable } from '../../experiments/comparisonTable.ts';
import { shareOfRange, type GridCell } from '../../experiments/grid.ts';
import { heatMapSvg } from '../../experiments/heatMapSvg.ts';
import { toCsv, toLatex, toMarkdown } from '../../experiments/tables.ts';
import type { ExportFormat } from '../../protocol/panelMessages.ts';
import { rasterise } from '../rasterise.ts';
import { theme } from '../theme.ts';
import { rampColours } from './colourRamp.ts';
import type { GridModel } from './gridModel.ts';

/** The grid on show as a figure or a table. */
export async function exportGrid(model: GridModel, format: ExportFormat): Promise<void> {
  const { host } = model;
  const data = model.data.value;
  const grid = model.grid.value;
  if (!data || !grid) return;
  const metric = model.metric.value;
  const base = `${data.sweep.id}-${metric}`;
  const sendText = (extension: string, text: string): void =>
    host.send({ type: 'export', format, fileName: `${base}.${extension}`, content: { kind: 'text', text } });
  const table = () =>
    gridTable(
      grid,
      data.sweep.axes.map(({ key }) => key),
      metric,
    );
  const light = { ...theme.value, dark: false };
  const colours = (cell: GridCell) => rampColours(shareOfRange(grid, cell) ?? 0, light);
  const figure = () => heatMapSvg({ grid, title: data.name, metric, colours });
  switch (format) {
    case 'csv':
      sendText('csv', toCsv(table()));
      return;
    case 'markdown':
      sendText('md', toMarkdown(table()));
      return;
    case 'latex':
      sendText('tex', toLatex(table()));
      return;
    case 'svg':
      sendText('svg', figure().svg);
      return;
    case 'png':
      break;
  }
  try {
    const { svg, widthPx, heightPx } = figure();
    const bytes = await rasterise(svg, { widthPx, heightPx, scale: 3 });
    host.send({ type: 'export', format, fileName: `${base}.png`, content: { kind: 'bytes', bytes } });
  } catch (error) {
    host.send({ type: 'fault', message: `PNG of ${base}: ${String(error)}` });
  }
}
