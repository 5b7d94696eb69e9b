/** Pictures in rows with captions, as one PNG. */
import sharp, { type OverlayOptions } from 'sharp';
import type { Picture } from './picture.ts';

export interface SheetCell {
  picture: Picture;
  caption: string;
  /** A coloured frame says right or wrong, besides the caption's word. */
  frame?: 'right' | 'wrong';
}

const gapPx = 10;
const captionPx = 18;
const titlePx = 30;
const headingPx = 22;
const colours = { page: '#ffffff', text: '#1f2328', faint: '#59636e', right: '#1a7f37', wrong: '#cf222e' };

/** @param options.cellPx height of a cell; smaller pictures are enlarged without smoothing by whole factors */
export async function pictureSheet(
  title: string,
  rows: readonly { heading?: string; cells: readonly SheetCell[] }[],
  { cellPx = 200 }: { cellPx?: number } = {},
): Promise<Buffer> {
  const overlays: OverlayOptions[] = [];
  const drawing: string[] = [text(gapPx, 20, 14, title, colours.text, 'bold')];
  let top = titlePx;
  let widest = 10 * title.length;
  for (const { heading, cells } of rows) {
    if (heading !== undefined) {
      drawing.push(text(gapPx, top + 14, 12, heading, colours.text, 'bold'));
      top += headingPx;
    }
    let left = gapPx;
    let height = 0;
    for (const { picture, caption, frame } of cells) {
      const factor = cellPx / picture.heightPx;
      const [width, cellHeight] = [Math.round(picture.widthPx * factor), Math.round(picture.heightPx * factor)];
      const image = await sharp(picture.data, {
        raw: { width: picture.widthPx, height: picture.heightPx, channels: 3 },
      })
        .resize(width, cellHeight, { fit: 'fill', kernel: factor > 1 ? 'nearest' : 'lanczos3' })
        .png()
        .toBuffer();
      overlays.push({ input: image, left, top });
      if (frame)
        drawing.push(
          `<rect x="${left - 2}" y="${top - 2}" width="${width + 4}" height="${cellHeight + 4}" fill="none" stroke="${colours[frame]}" stroke-width="3"/>`,
        );
      drawing.push(text(left, top + cellHeight + 13, 11, shortened(caption, width), colours.faint));
      left += width + gapPx;
      height = Math.max(height, cellHeight);
    }
    widest = Math.max(widest, left);
    top += height + captionPx + gapPx;
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${widest}" height="${top}">${drawing.join('')}</svg>`;
  return sharp({ create: { width: widest, height: top, channels: 3, background: colours.page } })
    .composite([...overlays, { input: Buffer.from(svg), left: 0, top: 0 }])
    .png()
    .toBuffer();
}

/** A picture alone, at least `smallestPx` high. */
export async function picturePng(picture: Picture, smallestPx = 0): Promise<Buffer> {
  const factor = Math.max(1, Math.ceil(smallestPx / picture.heightPx));
  return sharp(picture.data, { raw: { width: picture.widthPx, height: picture.heightPx, channels: 3 } })
    .resize(picture.widthPx * factor, picture.heightPx * factor, { kernel: 'nearest' })
    .png()
    .toBuffer();
}

export function text(x: number, y: number, sizePx: number, content: string, fill: string, weight = 'normal'): string {
  const printable = content.replace(/[\p{Cc}\ufffe\uffff]/gu, '\u00b7');
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  const escaped = printable.replace(/[&<>]/g, (sign) => entities[sign]!);
  return `<text x="${x}" y="${y}" font-family="sans-serif" font-size="${sizePx}" font-weight="${weight}" fill="${fill}">${escaped}</text>`;
}

function shortened(caption: string, widthPx: number): string {
  const letters = Math.max(4, Math.floor(widthPx / 6));
  return caption.length <= letters ? caption : `${caption.slice(0, letters - 1)}\u2026`;
}
