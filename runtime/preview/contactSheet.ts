/**
 * Previewed images as one PNG: an image a row, first the source with the outlines of its crops, then its views.
 *
 * Views keep their sizes relative to each other; small ones are enlarged without smoothing, so that pixels stay pixels.
 */
import sharp, { type OverlayOptions } from 'sharp';
import { operationsOf, viewName } from './describeView.ts';
import type { PreviewImage, PreviewView } from './previewImages.ts';

/** Side that a global view has at least on the sheet. */
const wantedPx = 176;
const gapPx = 12;
const linePx = 14;
const headingPx = 24;
const captionLines = 3;
const captionPx = captionLines * linePx + 8;
const minWidthPx = 480;
/** Width of a letter at the captions' size, roughly. */
const letterPx = 6;

const colours = { page: '#ffffff', text: '#1f2328', faint: '#59636e', global: '#d1570a', local: '#0a69da' } as const;

interface Cell {
  image: Buffer;
  left: number;
  top: number;
  widthPx: number;
  heightPx: number;
  /** Drawn over the image or below it, as SVG in the sheet's coordinates. */
  drawing: string;
}

export async function contactSheet(images: readonly PreviewImage[], title: string): Promise<Buffer> {
  const drawings = [text(gapPx, 22, 15, title, colours.text, 'bold')];
  const cells: Cell[] = [];
  const headingTops: number[] = [];
  let top = 36;
  for (const image of images) {
    headingTops.push(top);
    const row = await layRow(image, top + headingPx);
    cells.push(...row);
    top = Math.max(...row.map((cell) => cell.top + cell.heightPx)) + captionPx + gapPx;
  }
  const widthPx = Math.max(minWidthPx, ...cells.map((cell) => cell.left + cell.widthPx + gapPx));
  drawings.push(
    ...images.map((image, i) => heading(image, headingTops[i]! + linePx, widthPx)),
    ...cells.map(({ drawing }) => drawing),
  );
  const overlay = `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${top}">${drawings.join('')}</svg>`;
  return sharp({ create: { width: widthPx, height: top, channels: 3, background: colours.page } })
    .composite([
      ...cells.map(({ image, left, top: cellTop }): OverlayOptions => ({ input: image, left, top: cellTop })),
      { input: Buffer.from(overlay), left: 0, top: 0 },
    ])
    .png()
    .toBuffer();
}

function heading({ name, className, raw, fault }: PreviewImage, baseline: number, widthPx: number): string {
  const shown = [...(className === null ? [] : [className]), `${raw.widthPx} \u00d7 ${raw.heightPx} px`].join(
    '  \u00b7  ',
  );
  const file = fault === null ? name : `${name} in place of ${fault}`;
  const letters = Math.floor((widthPx - 2 * gapPx) / letterPx) - Math.ceil(1.4 * shown.length);
  // The end of a path says more than its beginning.
  const short = file.length > letters ? `\u2026${file.slice(-Math.max(8, letters))}` : file;
  return (
    text(gapPx, baseline, 13, shown, colours.text, 'bold') +
    text(widthPx - gapPx, baseline, 11, short, colours.faint, 'normal', 'end')
  );
}

/** The source, the global views, and the local views in columns as high as the row. */
async function layRow(image: PreviewImage, top: number): Promise<Cell[]> {
  const globalPx = image.views[0]!.sizePx;
  const scale = Math.max(1, Math.round(wantedPx / globalPx));
  const rowPx = globalPx * scale;
  const cells = [await sourceCell(image, gapPx, top, rowPx)];
  let left = cells[0]!.left + cells[0]!.widthPx + 2 * gapPx;
  let column = 0;
  for (const [index, view] of image.views.entries()) {
    const sidePx = view.sizePx * scale;
    const perColumn = view.kind === 'global' ? 1 : Math.max(1, Math.round((rowPx + captionPx) / (sidePx + captionPx)));
    const place = column % perColumn;
    cells.push(await viewCell(image.views, index, left, top + place * (sidePx + captionPx), sidePx));
    column = view.kind === 'global' ? 0 : column + 1;
    const next = image.views[index + 1];
    if (place === perColumn - 1 || next?.kind !== view.kind) {
      left += sidePx + gapPx;
      column = 0;
    }
  }
  return cells;
}

async function sourceCell({ raw, views }: PreviewImage, left: number, top: number, boxPx: number): Promise<Cell> {
  const { widthPx, heightPx, channels, data } = raw;
  const factor = Math.min((1.5 * boxPx) / widthPx, boxPx / heightPx);
  const [width, height] = [Math.max(1, Math.round(widthPx * factor)), Math.max(1, Math.round(heightPx * factor))];
  const image = await sharp(data, { raw: { width: widthPx, height: heightPx, channels } })
    .resize(width, height, { fit: 'fill', kernel: factor > 1 ? 'nearest' : 'lanczos3' })
    .png()
    .toBuffer();
  const outlines = views.map(({ kind, crop }) => {
    const x = left + crop.left * factor;
    const y = top + crop.top * factor;
    const dash = kind === 'global' ? '' : ' stroke-dasharray="4 3"';
    return `<rect x="${x + 0.5}" y="${y + 0.5}" width="${Math.max(1, crop.width * factor - 1)}" height="${Math.max(1, crop.height * factor - 1)}" fill="none" stroke="${colours[kind]}" stroke-width="1.5"${dash}/>`;
  });
  const drawing = outlines.join('') + text(left, top + height + linePx, 11, 'source', colours.text);
  return { image, left, top, widthPx: width, heightPx: height, drawing };
}

async function viewCell(
  views: readonly PreviewView[],
  index: number,
  left: number,
  top: number,
  sidePx: number,
): Promise<Cell> {
  const view = views[index]!;
  const image = await sharp(view.pixels, { raw: { width: view.sizePx, height: view.sizePx, channels: 3 } })
    .resize(sidePx, sidePx, { kernel: 'nearest' })
    .png()
    .toBuffer();
  const baseline = top + sidePx + linePx;
  const lines = wrap(operationsOf(view), sidePx + gapPx / 2).slice(0, captionLines - 1);
  const drawing = [
    text(left, baseline, 11, viewName(views, index), colours[view.kind], 'bold'),
    ...lines.map((line, i) => text(left, baseline + (i + 1) * linePx, 11, line, colours.faint)),
  ].join('');
  return { image, left, top, widthPx: sidePx, heightPx: sidePx, drawing };
}

/** Words in lines of at most so many px. */
function wrap(words: readonly string[], widthPx: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = `${lines.at(-1) ?? ''}, ${word}`;
    if (lines.length > 0 && longer.length * letterPx <= widthPx) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function text(
  x: number,
  y: number,
  sizePx: number,
  content: string,
  fill: string,
  weight = 'normal',
  anchor = 'start',
): string {
  // XML has no way to write control characters.
  const printable = content.replace(/[\p{Cc}\ufffe\uffff]/gu, '\u00b7');
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  const escaped = printable.replace(/[&<>]/g, (sign) => entities[sign]!);
  return `<text x="${x}" y="${y}" font-family="sans-serif" font-size="${sizePx}" font-weight="${weight}" text-anchor="${anchor}" fill="${fill}">${escaped}</text>`;
}
