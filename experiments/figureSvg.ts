/** Figures for papers: vector graphics on white, without a browser. */
import { linearTicks, logTicks } from './axisTicks.ts';
import { formatNumber } from './formatMetric.ts';
import { escapeHtml } from './htmlPage.ts';

export interface FigureLine {
  label: string;
  colour: string;
  /** A second, fainter line is the raw one under its average. */
  faint?: boolean;
  dashed?: boolean;
  x: readonly number[];
  /** Values that are not finite break the line. */
  y: readonly number[];
}

export interface Figure {
  title: string;
  xLabel: string;
  yLabel: string;
  logarithmicY: boolean;
  lines: readonly FigureLine[];
  widthPx: number;
  heightPx: number;
}

export function figureSvg(figure: Figure): string {
  const { widthPx, heightPx } = figure;
  const legend = figure.lines.filter((line) => !line.faint);
  const showLegend = legend.length > 1;
  const box = {
    left: 64,
    right: widthPx - 16,
    top: 36,
    bottom: heightPx - 48 - (showLegend ? 16 * legendRows(legend, widthPx).length : 0),
  };
  const scale = scales(figure, box);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}" viewBox="0 0 ${widthPx} ${heightPx}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="12">`,
    `<title>${escapeHtml(figure.title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${box.left}" y="22" font-size="14" font-weight="600" fill="#1a1a1a">${escapeHtml(figure.title)}</text>`,
    ...scale.xTicks.map(
      (tick) =>
        `<line x1="${r(scale.x(tick))}" x2="${r(scale.x(tick))}" y1="${box.top}" y2="${box.bottom}" stroke="#eee"/><text x="${r(scale.x(tick))}" y="${box.bottom + 16}" text-anchor="middle" fill="#555">${formatNumber(tick)}</text>`,
    ),
    ...scale.yTicks.map(
      (tick) =>
        `<line x1="${box.left}" x2="${box.right}" y1="${r(scale.y(tick))}" y2="${r(scale.y(tick))}" stroke="#eee"/><text x="${box.left - 6}" y="${r(scale.y(tick) + 4)}" text-anchor="end" fill="#555">${formatNumber(tick)}</text>`,
    ),
    `<path d="M${box.left} ${box.top}V${box.bottom}H${box.right}" fill="none" stroke="#888"/>`,
    `<text x="${(box.left + box.right) / 2}" y="${box.bottom + 34}" text-anchor="middle" fill="#333">${escapeHtml(figure.xLabel)}</text>`,
    `<text transform="translate(14 ${(box.top + box.bottom) / 2}) rotate(-90)" text-anchor="middle" fill="#333">${escapeHtml(figure.yLabel)}</text>`,
    ...figure.lines.map((line) => pathOf(line, scale)),
    ...(showLegend ? legendParts(legend, widthPx, box.left, box.bottom + 52) : []),
    '</svg>',
  ];
  return parts.join('\n') + '\n';
}

interface Scale {
  x: (value: number) => number;
  y: (value: number) => number;
  xTicks: number[];
  yTicks: number[];
  drawable: (y: number) => boolean;
}

function scales(figure: Figure, box: { left: number; right: number; top: number; bottom: number }): Scale {
  const drawable = (y: number) => Number.isFinite(y) && (!figure.logarithmicY || y > 0);
  let [xLow, xHigh, yLow, yHigh] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of figure.lines) {
    for (let i = 0; i < x.length; i++) {
      if (!drawable(y[i]!)) continue;
      xLow = Math.min(xLow, x[i]!);
      xHigh = Math.max(xHigh, x[i]!);
      yLow = Math.min(yLow, y[i]!);
      yHigh = Math.max(yHigh, y[i]!);
    }
  }
  if (xLow > xHigh) [xLow, xHigh, yLow, yHigh] = [0, 1, figure.logarithmicY ? 0.1 : 0, 1];
  if (xLow === xHigh) xHigh = xLow + 1;
  if (yLow === yHigh) [yLow, yHigh] = yLow === 0 ? [-1, 1] : [yLow - Math.abs(yLow) / 2, yHigh + Math.abs(yHigh) / 2];
  const warp = figure.logarithmicY ? Math.log : (value: number) => value;
  const margin = 0.04 * (warp(yHigh) - warp(yLow));
  const [bottom, top] = [warp(yLow) - margin, warp(yHigh) + margin];
  return {
    drawable,
    x: (value) => box.left + ((value - xLow) / (xHigh - xLow)) * (box.right - box.left),
    y: (value) => box.bottom - ((warp(value) - bottom) / (top - bottom)) * (box.bottom - box.top),
    xTicks: linearTicks(xLow, xHigh, 7),
    yTicks: figure.logarithmicY ? logTicks(yLow, yHigh) : linearTicks(yLow, yHigh, 6),
  };
}

function pathOf({ x, y, colour, faint, dashed }: FigureLine, scale: Scale): string {
  let path = '';
  let pen = 'M';
  for (let i = 0; i < x.length; i++) {
    if (!scale.drawable(y[i]!)) {
      pen = 'M';
      continue;
    }
    path += `${pen}${r(scale.x(x[i]!))} ${r(scale.y(y[i]!))}`;
    pen = 'L';
  }
  const look = `${faint ? ' stroke-opacity="0.25"' : ''}${dashed ? ' stroke-dasharray="6 4"' : ''}`;
  return `<path d="${path}" fill="none" stroke="${escapeHtml(colour)}" stroke-width="${faint ? 1 : 1.75}"${look}/>`;
}

/** Labels in rows that fit, by a mean glyph width of 6.5 px. */
function legendRows(lines: readonly FigureLine[], widthPx: number): FigureLine[][] {
  const rows: FigureLine[][] = [];
  let used = Infinity;
  for (const line of lines) {
    const width = entryWidth(line);
    if (used + width > widthPx - 80) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)!.push(line);
    used += width;
  }
  return rows;
}

function legendParts(lines: readonly FigureLine[], widthPx: number, left: number, top: number): string[] {
  return legendRows(lines, widthPx).flatMap((row, i) => {
    let x = left;
    return row.map((line) => {
      const y = top + 16 * i;
      const dash = line.dashed ? ' stroke-dasharray="6 4"' : '';
      const part = `<line x1="${x}" x2="${x + 18}" y1="${y - 4}" y2="${y - 4}" stroke="${escapeHtml(line.colour)}" stroke-width="2"${dash}/><text x="${x + 24}" y="${y}" fill="#333">${escapeHtml(line.label)}</text>`;
      x += entryWidth(line);
      return part;
    });
  });
}

function entryWidth({ label }: FigureLine): number {
  return 44 + 6.5 * label.length;
}

/** Hundredths of a pixel are enough. */
function r(value: number): number {
  return Math.round(value * 100) / 100;
}
