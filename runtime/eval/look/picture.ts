/** Small pictures in memory, and what is painted on them. */
import sharp from 'sharp';
import type { RawImage } from '../../data/dataset.ts';
import type { PatchGrid } from '../maskCut/maskCut.ts';

/** RGB bytes, rows from the top. */
export interface Picture {
  widthPx: number;
  heightPx: number;
  data: Uint8Array;
}

/** An image at exactly this size; its sides' ratio is given up where it differs. */
export async function resized(
  { widthPx, heightPx, channels, data }: RawImage,
  to: { widthPx: number; heightPx: number },
  kernel: 'lanczos3' | 'cubic' | 'linear' = 'lanczos3',
): Promise<Picture> {
  const resizedData = await sharp(data, { raw: { width: widthPx, height: heightPx, channels } })
    .resize(to.widthPx, to.heightPx, { fit: 'fill', kernel })
    .toColourspace('srgb')
    .raw()
    .toBuffer();
  const wanted = to.widthPx * to.heightPx * 3;
  // A grey source stays grey.
  const rgb =
    resizedData.length === wanted
      ? resizedData
      : Uint8Array.from({ length: wanted }, (_, at) => resizedData[Math.floor(at / 3)]!);
  return { ...to, data: new Uint8Array(rgb) };
}

/** A value per patch as colours, dark to bright over the range given. */
export function heatMap(values_P: ArrayLike<number>, grid: PatchGrid, sidePx: number): Picture {
  let [least, most] = [Infinity, -Infinity];
  for (let at = 0; at < values_P.length; at++) {
    least = Math.min(least, values_P[at]!);
    most = Math.max(most, values_P[at]!);
  }
  const range = most - least || 1;
  return patchColours(grid, sidePx, (patch) => rampColour((values_P[patch]! - least) / range));
}

/** A colour per patch, as squares. */
export function patchColours(
  { rows, columns }: PatchGrid,
  sidePx: number,
  colourOf: (patch: number) => readonly [number, number, number],
): Picture {
  const [widthPx, heightPx] = [columns * sidePx, rows * sidePx];
  const data = new Uint8Array(widthPx * heightPx * 3);
  const colours = Array.from({ length: rows * columns }, (_, patch) => colourOf(patch));
  for (let y = 0; y < heightPx; y++)
    for (let x = 0; x < widthPx; x++)
      data.set(colours[Math.floor(y / sidePx) * columns + Math.floor(x / sidePx)]!, (y * widthPx + x) * 3);
  return { widthPx, heightPx, data };
}

/** Distinct colours for masks, in order; told apart by people who see fewer colours, too. */
export const maskColours: readonly (readonly [number, number, number])[] = [
  [230, 97, 0],
  [26, 133, 255],
  [93, 195, 75],
  [212, 17, 89],
  [255, 194, 10],
  [110, 70, 190],
];

/** A picture with regions tinted and outlined; 0 is left as it is, the others take the colours in order. */
export function tinted({ widthPx, heightPx, data }: Picture, regions: ArrayLike<number>): Picture {
  const result = Uint8Array.from(data);
  for (let y = 0; y < heightPx; y++)
    for (let x = 0; x < widthPx; x++) {
      const at = y * widthPx + x;
      const region = regions[at]!;
      const isOutline =
        (x + 1 < widthPx && regions[at + 1] !== region) || (y + 1 < heightPx && regions[at + widthPx] !== region);
      if (region === 0 && !isOutline) continue;
      const colour = region === 0 ? ([255, 255, 255] as const) : maskColours[(region - 1) % maskColours.length]!;
      const share = isOutline ? 1 : 0.5;
      for (let channel = 0; channel < 3; channel++)
        result[at * 3 + channel] = Math.round((1 - share) * data[at * 3 + channel]! + share * colour[channel]!);
    }
  return { widthPx, heightPx, data: result };
}

/** What is outside the mask, darkened. */
export function spotlit({ widthPx, heightPx, data }: Picture, inside: ArrayLike<number>): Picture {
  const result = data.map((value, at) => (inside[Math.floor(at / 3)] ? value : Math.round(value * 0.2)));
  return { widthPx, heightPx, data: result };
}

/** Patches as pixels, enlarged to their squares. */
export function enlarged<T extends Uint8Array | Float64Array>(
  values_P: T,
  { rows, columns }: PatchGrid,
  sidePx: number,
): T {
  const width = columns * sidePx;
  const make = values_P.constructor as { new (length: number): T };
  const result = new make(rows * sidePx * width);
  for (let y = 0; y < rows * sidePx; y++)
    for (let x = 0; x < width; x++)
      result[y * width + x] = values_P[Math.floor(y / sidePx) * columns + Math.floor(x / sidePx)]!;
  return result;
}

/** From nearly black over violet and orange to pale yellow; lightness rises evenly. */
const ramp: readonly (readonly [number, number, number])[] = [
  [8, 8, 24],
  [62, 18, 100],
  [134, 36, 110],
  [203, 66, 82],
  [243, 120, 42],
  [252, 188, 60],
  [250, 250, 190],
];

function rampColour(share: number): [number, number, number] {
  const place = Math.min(1, Math.max(0, share)) * (ramp.length - 1);
  const [low, high] = [ramp[Math.floor(place)]!, ramp[Math.min(ramp.length - 1, Math.floor(place) + 1)]!];
  const mix = place - Math.floor(place);
  return [0, 1, 2].map((at) => Math.round(low[at]! * (1 - mix) + high[at]! * mix)) as [number, number, number];
}
