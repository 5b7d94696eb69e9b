/** Linear segmentation of a folder of images with masks: train on some, count pixels of others. */
import { errors } from '../../../protocol/errors.ts';
import type { Backbone } from '../backbone.ts';
import type { Engine } from '../../engines/engine.ts';
import { resized, type Picture } from '../look/picture.ts';
import type { PatchGrid } from '../maskCut/maskCut.ts';
import {
  ignoredClass,
  segmentationFigures,
  trainSegmentation,
  type LabelledWindow,
  type SegmentationFigures,
} from './linearSegmentation.ts';
import { readMasked, type MaskedImage, type SegmentationFolder } from './maskFolders.ts';

export interface SegmentFolderOptions {
  /** Shorter side of images, and side of the windows that slide over them by two thirds of it. */
  sizePx: number;
  steps: number;
  rate: number;
  classes: number;
  random: () => number;
  /** What a pair of images adds to the picture of results. */
  onSegmented?: (segmented: Segmented) => Promise<void>;
}

export interface Segmented {
  name: string;
  picture: Picture;
  truth: Uint8Array;
  prediction: Uint8Array;
}

interface PreparedImage extends MaskedImage {
  picture: Picture;
  windows: { left: number; top: number; features: Float32Array; labels: Uint8Array }[];
  /** At full size. */
  mask: Uint8Array;
  widthPx: number;
  heightPx: number;
}

/** Pixels of a label's square in training: the loss is taken on a coarser grid than the image's. */
const labelPx = 4;

/** Blocks of a third, a half, two thirds and the whole of the depth: 4, 6, 8 and 12 of twelve. */
export function segmentationBlocks(depth: number): number[] {
  const counts = [Math.ceil(depth / 3), Math.floor(depth / 2), Math.ceil((2 * depth) / 3), depth];
  return [...new Set(counts.map((count) => Math.max(0, count - 1)))];
}

/**
 * Trains on the folder's training images and tests on the others; without a split, each image is tested after training on all others.
 *
 * @throws annotationsTooFew, maskUnreadable where a mask has a class that is none of `classes`
 */
export async function segmentFolder(
  backbone: Backbone,
  engine: Engine,
  folder: SegmentationFolder,
  options: SegmentFolderOptions,
): Promise<SegmentationFigures & { images: number }> {
  const { classes, sizePx } = options;
  if (!folder.isSplit && folder.train.length < 2)
    throw errors.annotationsTooFew(folder.path, 'one image alone has no others to train on, and there are no lists');
  if (folder.train.length === 0 || folder.test.length === 0)
    throw errors.annotationsTooFew(
      folder.path,
      `its lists name ${folder.train.length} of its images to train on and ${folder.test.length} to test`,
    );
  const prepared = new Map<string, PreparedImage>();
  const shift = folder.kind === 'ade' ? shiftedAde : (mask: Uint8Array) => mask;
  for (const one of [...folder.train, ...folder.test])
    if (!prepared.has(one.imagePath))
      prepared.set(one.imagePath, await prepare(backbone, one, { sizePx, classes, shift }));
  const folds = folder.isSplit
    ? [{ train: folder.train, test: folder.test }]
    : folder.test.map((one) => ({ train: folder.train.filter((other) => other !== one), test: [one] }));
  const confusion = new Float64Array(classes * classes);
  const grid = backbone.grid(sizePx, sizePx);
  for (const { train, test } of folds) {
    const windows = train.flatMap((one) => prepared.get(one.imagePath)!.windows);
    const width = windows[0]!.features.length / (grid.rows * grid.columns);
    const { segment, close } = await trainSegmentation(
      windows satisfies LabelledWindow[],
      {
        grid,
        width,
        classes,
        labelSide: Math.round(sizePx / labelPx),
        batch: Math.min(4, windows.length),
        steps: options.steps,
        rate: options.rate,
        weightDecay: 0.05,
      },
      engine,
      options.random,
    );
    for (const one of test) {
      const image = prepared.get(one.imagePath)!;
      const prediction = await predict(image, segment, grid, { classes, sizePx });
      image.mask.forEach((truth, at) => {
        if (truth !== ignoredClass) confusion[truth * classes + prediction[at]!]!++;
      });
      await options.onSegmented?.({
        name: one.name,
        picture: await resized({ ...image.picture, channels: 3 }, image),
        truth: image.mask,
        prediction,
      });
    }
    await close();
  }
  if (!confusion.some((pixels) => pixels > 0))
    throw errors.annotationsTooFew(folder.path, 'no pixel of its test images has a class');
  return { ...segmentationFigures(confusion, classes), images: folder.test.length };
}

/** ADE20K's 0 is no class; the others move down. */
function shiftedAde(mask: Uint8Array): Uint8Array {
  return mask.map((value) => (value === 0 ? ignoredClass : value - 1));
}

async function prepare(
  backbone: Backbone,
  source: MaskedImage,
  { sizePx, classes, shift }: { sizePx: number; classes: number; shift: (mask: Uint8Array) => Uint8Array },
): Promise<PreparedImage> {
  const { image, mask: stored } = await readMasked(source);
  const mask = shift(stored);
  const unknown = mask.findIndex((value) => value !== ignoredClass && value >= classes);
  if (unknown >= 0)
    throw errors.maskUnreadable(
      source.maskPath,
      `it has pixels of class ${stored[unknown]}, and the folder has ${classes} classes`,
    );
  const { widthPx, heightPx } = image;
  const factor = sizePx / Math.min(widthPx, heightPx);
  const scaled = {
    widthPx: Math.max(sizePx, Math.round(widthPx * factor)),
    heightPx: Math.max(sizePx, Math.round(heightPx * factor)),
  };
  const picture = await resized(image, scaled, 'linear');
  const blocks = segmentationBlocks(backbone.vit.depth);
  const labelSide = Math.round(sizePx / labelPx);
  const windows: PreparedImage['windows'] = [];
  for (const top of starts(scaled.heightPx, sizePx))
    for (const left of starts(scaled.widthPx, sizePx)) {
      const pixels = new Uint8Array(sizePx * sizePx * 3);
      for (let row = 0; row < sizePx; row++) {
        const from = ((top + row) * scaled.widthPx + left) * 3;
        pixels.set(picture.data.subarray(from, from + sizePx * 3), row * sizePx * 3);
      }
      const size = { count: 1, widthPx: sizePx, heightPx: sizePx };
      const { blocks: features } = await backbone.run(pixels, size, ['blocks'], { blocks });
      const labels = Uint8Array.from({ length: labelSide ** 2 }, (_, at) => {
        const x = left + ((at % labelSide) + 0.5) * (sizePx / labelSide);
        const y = top + (Math.floor(at / labelSide) + 0.5) * (sizePx / labelSide);
        const column = Math.min(widthPx - 1, Math.floor((x * widthPx) / scaled.widthPx));
        const row = Math.min(heightPx - 1, Math.floor((y * heightPx) / scaled.heightPx));
        return mask[row * widthPx + column]!;
      });
      windows.push({ left, top, features: Float32Array.from(features), labels });
    }
  return { ...source, picture, windows, mask, widthPx, heightPx };
}

/** Places of windows along a side, two thirds of a window apart, the last one at the end. */
function starts(length: number, window: number): number[] {
  const stride = Math.round((window * 2) / 3);
  const count = Math.max(1, Math.ceil((length - window) / stride) + 1);
  return Array.from({ length: count }, (_, index) => Math.min(index * stride, length - window));
}

/** Mean scores of the windows over each pixel, and the class that has the largest. */
async function predict(
  { picture, windows, widthPx, heightPx }: PreparedImage,
  segment: (features: Float32Array) => Promise<Float32Array>,
  grid: PatchGrid,
  { classes, sizePx }: { classes: number; sizePx: number },
): Promise<Uint8Array> {
  const scores = await Promise.all(windows.map(({ features }) => segment(features)));
  const prediction = new Uint8Array(widthPx * heightPx);
  const sums = new Float64Array(classes);
  for (let at = 0; at < prediction.length; at++) {
    const x = (((at % widthPx) + 0.5) * picture.widthPx) / widthPx;
    const y = ((Math.floor(at / widthPx) + 0.5) * picture.heightPx) / heightPx;
    sums.fill(0);
    let covering = 0;
    windows.forEach(({ left, top }, index) => {
      if (x < left || y < top || x > left + sizePx || y > top + sizePx) return;
      covering++;
      addBilinear(scores[index]!, grid, ((x - left) * grid.columns) / sizePx, ((y - top) * grid.rows) / sizePx, sums);
    });
    let best = 0;
    for (let label = 1; label < classes; label++) if (sums[label]! > sums[best]!) best = label;
    prediction[at] = covering === 0 ? 0 : best;
  }
  return prediction;
}

function addBilinear(
  scores: Float32Array,
  { rows, columns }: PatchGrid,
  x: number,
  y: number,
  sums: Float64Array,
): void {
  const [u, v] = [Math.min(columns - 1, Math.max(0, x - 0.5)), Math.min(rows - 1, Math.max(0, y - 0.5))];
  const [column, row] = [Math.floor(u), Math.floor(v)];
  const classes = sums.length;
  for (const [r, shareR] of [
    [row, 1 - (v - row)],
    [Math.min(rows - 1, row + 1), v - row],
  ] as const)
    for (const [c, shareC] of [
      [column, 1 - (u - column)],
      [Math.min(columns - 1, column + 1), u - column],
    ] as const)
      for (let label = 0; label < classes; label++)
        sums[label]! += shareR * shareC * scores[(r * columns + c) * classes + label]!;
}
