import type { RandomStream } from '../random.ts';

/** A rectangle of an image, in px. */
export interface CropBox {
  top: number;
  left: number;
  height: number;
  width: number;
}

const aspectRatios = [3 / 4, 4 / 3] as const;
const tries = 10;

/**
 * Draws a crop as torchvision's RandomResizedCrop does: area = H W U(scale), ratio = exp U(ln 3/4, ln 4/3), at a
 * uniform place; the first of ten draws that fits, else the largest central rectangle whose ratio is within the range.
 */
export function randomResizedCrop(
  height: number,
  width: number,
  scale: readonly [number, number],
  random: RandomStream,
): CropBox {
  const [narrow, wide] = aspectRatios;
  for (let attempt = 0; attempt < tries; attempt++) {
    const area = height * width * random.uniform(scale[0], scale[1]);
    const ratio = Math.exp(random.uniform(Math.log(narrow), Math.log(wide)));
    const w = roundHalfEven(Math.sqrt(area * ratio));
    const h = roundHalfEven(Math.sqrt(area / ratio));
    if (w > 0 && w <= width && h > 0 && h <= height)
      return { top: random.integer(height - h + 1), left: random.integer(width - w + 1), height: h, width: w };
  }
  const imageRatio = width / height;
  let [w, h] = [width, height];
  if (imageRatio < narrow) h = roundHalfEven(width / narrow);
  else if (imageRatio > wide) w = roundHalfEven(height * wide);
  return { top: Math.floor((height - h) / 2), left: Math.floor((width - w) / 2), height: h, width: w };
}

/** Rounds as Python's `round` does. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}
