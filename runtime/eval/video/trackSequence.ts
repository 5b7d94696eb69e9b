/** A video's objects followed from the first frame's mask, and how well. */
import { errors } from '../../../protocol/errors.ts';
import type { Backbone } from '../backbone.ts';
import { resized, type Picture } from '../look/picture.ts';
import { readImage, readMasked, type VideoSequence } from '../segmentation/maskFolders.ts';
import {
  cosinesOfWidth,
  davisPropagation,
  labelsOfGrid,
  pixelClasses,
  propagateLabels,
  type FrameFeatures,
} from './propagate.ts';
import {
  boundaryAccuracy,
  regionSimilarity,
  sequenceStatistics,
  type SequenceStatistics,
} from './regionAndBoundary.ts';

export interface TrackedObject {
  sequence: string;
  object: number;
  region: SequenceStatistics;
  boundary: SequenceStatistics;
}

export interface TrackedFrame {
  picture: Picture;
  /** At the frame's own size. */
  prediction: Uint8Array;
  truth: Uint8Array | null;
}

/**
 * Follows the objects of a sequence. Frames have their shorter side brought to `sizePx` (a multiple of the patch), the longer one to a
 * multiple of 64 as published, or of the patch where that is no multiple of it.
 *
 * @returns one entry per object; the first and the last frame are left out of the figures, as published
 * @throws annotationsTooFew, maskUnreadable where a mask or a frame has another size than the first
 */
export async function trackSequence(
  backbone: Backbone,
  { name, frames }: VideoSequence,
  { sizePx, onFrame }: { sizePx: number; onFrame?: (frame: TrackedFrame, index: number) => void },
): Promise<TrackedObject[]> {
  const { patchSizePx, width } = backbone.vit;
  const first = await readMasked({ imagePath: frames[0]!.imagePath, maskPath: frames[0]!.maskPath! });
  const { widthPx, heightPx } = first.image;
  const factor = sizePx / Math.min(widthPx, heightPx);
  const unit = 64 % patchSizePx === 0 ? 64 : patchSizePx;
  const longer = Math.max(unit, Math.floor((Math.max(widthPx, heightPx) * factor) / unit) * unit);
  const scaled = widthPx >= heightPx ? { widthPx: longer, heightPx: sizePx } : { widthPx: sizePx, heightPx: longer };
  const grid = backbone.grid(scaled.widthPx, scaled.heightPx);

  const ofGrid = Uint8Array.from({ length: grid.rows * grid.columns }, (_, patch) => {
    // The nearest pixel, as nearest-neighbour resizing takes it.
    const row = Math.floor((Math.floor(patch / grid.columns) * heightPx) / grid.rows);
    const column = Math.floor(((patch % grid.columns) * widthPx) / grid.columns);
    return first.mask[row * widthPx + column]!;
  });
  const objects = [...new Set(first.mask)].filter((value) => value !== 0 && value !== 255).sort((a, b) => a - b);
  if (objects.length === 0) throw errors.annotationsTooFew(frames[0]!.maskPath!, 'it has no object to follow');
  if (!frames.slice(1, -1).some(({ maskPath }) => maskPath))
    throw errors.annotationsTooFew(
      frames[0]!.maskPath!,
      `of the ${frames.length} frames of '${name}' none between the first and the last has a mask`,
    );
  const classes = 1 + Math.max(0, ...objects);
  async function* features(): AsyncGenerator<FrameFeatures> {
    for (const { imagePath } of frames) {
      const picture = await resized(await readImage(imagePath), scaled, 'linear');
      yield Float32Array.from((await backbone.run(picture.data, { count: 1, ...scaled }, ['patches'])).patches);
    }
  }
  const labels = propagateLabels(
    features(),
    labelsOfGrid(
      ofGrid.map((value) => (value === 255 ? 0 : value)),
      classes,
    ),
    { grid, classes, cosines: cosinesOfWidth(width) },
    davisPropagation,
  );
  const values = new Map(objects.map((object) => [object, { regions: [] as number[], boundaries: [] as number[] }]));
  let index = 0;
  for await (const soft of labels) {
    const { imagePath, maskPath } = frames[index]!;
    const pixels = pixelClasses(soft, grid, patchSizePx);
    const size = { width: grid.columns * patchSizePx, height: grid.rows * patchSizePx };
    const prediction =
      index === 0
        ? first.mask
        : Uint8Array.from({ length: widthPx * heightPx }, (_, at) => {
            const row = Math.floor((Math.floor(at / widthPx) * size.height) / heightPx);
            const column = Math.floor(((at % widthPx) * size.width) / widthPx);
            return pixels[row * size.width + column]!;
          });
    const frame =
      maskPath === null ? { image: await readImage(imagePath), mask: null } : await readMasked({ imagePath, maskPath });
    if (frame.image.widthPx !== widthPx || frame.image.heightPx !== heightPx)
      throw errors.dataUnreadable(
        imagePath,
        `it has ${frame.image.widthPx} x ${frame.image.heightPx} pixels, the first frame ${widthPx} x ${heightPx}`,
      );
    const truth = frame.mask;
    onFrame?.({ picture: await resized(frame.image, { widthPx, heightPx }), prediction, truth }, index);
    if (truth && index > 0 && index < frames.length - 1)
      for (const [object, { regions, boundaries }] of values) {
        const of = (mask: Uint8Array) => mask.map((value) => (value === object ? 1 : 0));
        regions.push(regionSimilarity(of(truth), of(prediction)));
        boundaries.push(boundaryAccuracy(of(truth), of(prediction), { height: heightPx, width: widthPx }));
      }
    index++;
  }
  return [...values].map(([object, { regions, boundaries }]) => ({
    sequence: name,
    object,
    region: sequenceStatistics(regions),
    boundary: sequenceStatistics(boundaries),
  }));
}
