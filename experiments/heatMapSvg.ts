/** A sweep's heat maps as vector graphics on white, one facet below the other. */
import { metricLabels } from './metricLabels.ts';
import { formatMetric, formatNumber } from './formatMetric.ts';
import type { Grid, GridCell } from './grid.ts';
import type { JsonScalar } from '../protocol/records.ts';
import { escapeHtml } from './htmlPage.ts';

export interface HeatMapFigure {
  grid: Grid;
  title: string;
  metric: string;
  /** Fill and text colour of a finished cell. */
  colours: (cell: GridCell) => { fill: string; text: string };
}

const cellWidth = 112;
const cellHeight = 56;
const leastLeft = 110;

export function heatMapSvg({ grid, title, metric, colours }: HeatMapFigure): {
  svg: string;
  widthPx: number;
  heightPx: number;
} {
  // A list's rows are named by several keys.
  const longest = Math.max(0, ...grid.rows.map((row) => show(row).length));
  const left = grid.layout === 'list' ? Math.max(leastLeft, 26 + 6.5 * longest) : leastLeft;
  const facetHeight = grid.rows.length * cellHeight + 62;
  const widthPx = Math.max(360, left + grid.columns.length * cellWidth + 20);
  const heightPx = 64 + grid.facets.length * facetHeight;
  const text = (x: number, y: number, words: string, look = '') =>
    `<text x="${x}" y="${y}" ${look}>${escapeHtml(words)}</text>`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}" viewBox="0 0 ${widthPx} ${heightPx}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="12">`,
    `<title>${escapeHtml(title)}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    text(16, 24, title, 'font-size="14" font-weight="600" fill="#1a1a1a"'),
    text(
      16,
      42,
      `${metricLabels([metric])(metric).label}; mean \u00b1 95 % confidence interval over seeds`,
      'fill="#555"',
    ),
  ];
  grid.facets.forEach((facet, f) => {
    const top = 64 + f * facetHeight;
    const fixed = Object.entries(facet.fixed).map(([key, value]) => `${key} = ${show(value)}`);
    if (fixed.length > 0) parts.push(text(16, top + 12, fixed.join(', '), 'font-weight="600" fill="#333"'));
    if (grid.columnKey) parts.push(text(left, top + 12 + (fixed.length > 0 ? 16 : 0), grid.columnKey, 'fill="#555"'));
    if (grid.rowKey) parts.push(text(left - 10, top + 44, grid.rowKey, 'text-anchor="end" fill="#555" font-size="10"'));
    grid.columns.forEach((value, x) => {
      if (grid.columnKey === null) return;
      parts.push(text(left + (x + 0.5) * cellWidth, top + 44, show(value), 'text-anchor="middle" fill="#333"'));
    });
    facet.cells.forEach((row, y) => {
      const y0 = top + 50 + y * cellHeight;
      if (grid.rowKey !== null)
        parts.push(text(left - 10, y0 + cellHeight / 2 + 4, show(grid.rows[y]!), 'text-anchor="end" fill="#333"'));
      row.forEach((cell, x) => parts.push(...cellParts(cell, left + x * cellWidth, y0, metric, colours)));
    });
  });
  parts.push('</svg>');
  return { svg: parts.join('\n') + '\n', widthPx, heightPx };
}

function cellParts(cell: GridCell, x: number, y: number, metric: string, colours: HeatMapFigure['colours']): string[] {
  const box = `x="${x + 1}" y="${y + 1}" width="${cellWidth - 2}" height="${cellHeight - 2}" rx="4"`;
  const line = (dy: number, words: string, fill: string, look = '') =>
    `<text x="${x + cellWidth / 2}" y="${y + dy}" text-anchor="middle" fill="${fill}" ${look}>${escapeHtml(words)}</text>`;
  if (!cell.summary) {
    return [
      `<rect ${box} fill="none" stroke="#999" stroke-dasharray="4 3"/>`,
      line(cellHeight / 2 + 4, cell.state, '#555'),
    ];
  }
  const { fill, text } = colours(cell);
  const { mean, ci95, n } = cell.summary;
  const spread = ci95 === null ? `n = ${n}` : `\u00b1 ${formatMetric(metric, ci95)}, n = ${n}`;
  return [
    `<rect ${box} fill="${escapeHtml(fill)}"${cell.best ? ' stroke="#000" stroke-width="2"' : ''}/>`,
    line(
      26,
      `${cell.best ? '\u2605 ' : ''}${formatMetric(metric, mean)}`,
      escapeHtml(text),
      'font-weight="600" font-size="14"',
    ),
    line(42, spread, escapeHtml(text), 'font-size="10.5"'),
  ];
}

function show(value: JsonScalar): string {
  return typeof value === 'number' ? formatNumber(value) : String(value);
}
