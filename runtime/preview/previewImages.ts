/** Images as a run sees them: decoded, and cut into the very views that training would get. */
import { basename } from 'node:path';
import type { CropsConfig } from '../../configs/schema.ts';
import { FaultyImage, type RawImage, type Split } from '../data/dataset.ts';
import { decodeFile } from '../data/decode.ts';
import { epochOrder } from '../data/epochOrder.ts';
import { errors } from '../../protocol/errors.ts';
import { createRenderer } from '../data/views/renderer.ts';
import { sampleViews, type ViewKey, type ViewParameters } from '../data/views/sampleViews.ts';

export interface PreviewView extends ViewParameters {
  /** [sizePx, sizePx, 3] */
  pixels: Uint8Array;
}

export interface PreviewImage {
  name: string;
  /** The name of its class; null without labels. */
  className: string | null;
  /** Why another image stands in for this one; null where it could be decoded. */
  fault: string | null;
  raw: RawImage;
  /** Globals first. */
  views: PreviewView[];
}

/** Images of a split, in the order in which an epoch visits them. */
export function imagesInOrder(
  split: Split,
  { seed, epoch, first, count }: { seed: number; epoch: number; first: number; count: number },
): number[] {
  const order = epochOrder(split.size, seed, split.streamed)(epoch);
  return Array.from({ length: Math.min(count, split.size) }, (_, place) => order[(first + place) % split.size]!);
}

/**
 * The views of an image of a split. As in training, one that can't be decoded is replaced by the next one that can, cut
 * with the numbers of the image it replaces.
 *
 * @throws dataTooFaulty when no image can be decoded
 */
export async function previewOfSplit(split: Split, crops: CropsConfig, key: ViewKey): Promise<PreviewImage> {
  let fault: string | null = null;
  for (let offset = 0; offset < split.size; offset++) {
    const used = (key.image + offset) % split.size;
    try {
      const raw = await split.image(used);
      const label = split.label(used);
      const className = label === null ? null : (split.classes?.[label] ?? null);
      return { name: split.nameOf(used), className, fault, raw, views: cut(raw, crops, key) };
    } catch (error) {
      if (!(error instanceof FaultyImage)) throw error;
      fault ??= `${split.nameOf(used)}: ${error.message}`;
    }
  }
  throw errors.dataTooFaulty(split.path, split.size, split.size, 0);
}

/** The views of an image file, with the numbers of the key. @throws dataUnreadable */
export async function previewOfFile(path: string, crops: CropsConfig, key: ViewKey): Promise<PreviewImage> {
  const raw = await decodeFile(path).catch((error: unknown) => {
    throw error instanceof FaultyImage ? errors.dataUnreadable(path, error.message) : error;
  });
  return { name: basename(path), className: null, fault: null, raw, views: cut(raw, crops, key) };
}

function cut(raw: RawImage, crops: CropsConfig, key: ViewKey): PreviewView[] {
  const renderer = createRenderer();
  renderer.load(raw);
  return sampleViews(raw.heightPx, raw.widthPx, crops, key).map((view) => {
    const pixels = new Uint8Array(3 * view.sizePx ** 2);
    renderer.render(view, pixels);
    return { ...view, pixels };
  });
}
