/** COCO's annotation files: images, and objects as polygons or run lengths. */
import { join } from 'node:path';
import { errors } from '../../../protocol/errors.ts';
import { resized, type Picture } from '../look/picture.ts';
import { readImage } from '../segmentation/maskFolders.ts';
import type { CocoAnnotation } from './cocoEvaluator.ts';
import { encodeMask, maskArea, textToCounts, type Box, type RunLengths } from './runLengths.ts';

/** An image with its objects, read when it is needed. */
export interface CocoImage {
  id: number;
  name: string;
  load(): Promise<{ picture: Picture; annotations: CocoAnnotation[] }>;
}

interface StoredImage {
  id: number;
  file_name: string;
  width: number;
  height: number;
}

interface StoredAnnotation {
  image_id: number;
  category_id: number;
  area?: number;
  iscrowd?: number;
  bbox: Box;
  segmentation: number[][] | { size: [number, number]; counts: number[] | string };
}

/** Images of an instances file whose pictures lie in a folder. @throws dataUnreadable */
export function readCoco(text: string, path: string, folder: string): CocoImage[] {
  const stored = parse(text, path);
  const ofImage = new Map<number, StoredAnnotation[]>();
  for (const annotation of stored.annotations) {
    const group = ofImage.get(annotation.image_id);
    if (group) group.push(annotation);
    else ofImage.set(annotation.image_id, [annotation]);
  }
  return stored.images.map(({ id, file_name: name, width, height }) => ({
    id,
    name,
    load: async () => {
      const image = await readImage(join(folder, name));
      if (image.widthPx !== width || image.heightPx !== height)
        throw errors.dataUnreadable(
          join(folder, name),
          `it has ${image.widthPx} x ${image.heightPx} pixels, its annotations ${width} x ${height}`,
        );
      const annotations = (ofImage.get(id) ?? []).map((one): CocoAnnotation => {
        const mask = maskOf(one, { width, height }, path);
        return {
          image: id,
          category: one.category_id,
          area: one.area ?? maskArea(mask),
          isCrowd: one.iscrowd === 1,
          box: one.bbox,
          mask,
        };
      });
      return { picture: await resized(image, { widthPx: width, heightPx: height }), annotations };
    },
  }));
}

function parse(text: string, path: string): { images: StoredImage[]; annotations: StoredAnnotation[] } {
  let stored: { images?: unknown; annotations?: unknown } | null;
  try {
    stored = JSON.parse(text) as typeof stored;
  } catch (error) {
    throw errors.dataUnreadable(path, (error as Error).message);
  }
  const { images, annotations } = stored ?? {};
  if (!Array.isArray(images) || !Array.isArray(annotations))
    throw errors.dataUnreadable(path, 'it has no lists `images` and `annotations`');
  return {
    images: images.map((image: unknown, index) => {
      if (isImage(image)) return image;
      throw errors.dataUnreadable(path, `images[${index}] lacks one of id, file_name, width and height`);
    }),
    annotations: annotations.map((annotation: unknown, index) => {
      if (isAnnotation(annotation)) return annotation;
      throw errors.dataUnreadable(
        path,
        `annotations[${index}] lacks one of image_id, category_id, bbox (four numbers) and segmentation (polygons or run lengths)`,
      );
    }),
  };
}

function isImage(value: unknown): value is StoredImage {
  if (typeof value !== 'object' || value === null) return false;
  const { id, file_name: name, width, height } = value as Partial<StoredImage>;
  return [id, width, height].every(Number.isInteger) && typeof name === 'string';
}

function isAnnotation(value: unknown): value is StoredAnnotation {
  if (typeof value !== 'object' || value === null) return false;
  const { image_id: image, category_id: category, bbox, segmentation } = value as Partial<StoredAnnotation>;
  if (![image, category].every(Number.isInteger) || !isNumbers(bbox) || bbox.length !== 4) return false;
  if (Array.isArray(segmentation)) return segmentation.every((one) => isNumbers(one) && one.length % 2 === 0);
  if (typeof segmentation !== 'object' || segmentation === null) return false;
  const { size, counts } = segmentation;
  return isNumbers(size) && size.length === 2 && (typeof counts === 'string' || isNumbers(counts));
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'number' && Number.isFinite(one));
}

function maskOf({ segmentation }: StoredAnnotation, size: { width: number; height: number }, path: string): RunLengths {
  if (Array.isArray(segmentation)) return encodeMask(polygonMask(segmentation, size), size.height, size.width);
  const [height, width] = segmentation.size;
  if (height !== size.height || width !== size.width)
    throw errors.dataUnreadable(
      path,
      `a mask of ${width} x ${height} pixels belongs to an image of ${size.width} x ${size.height}`,
    );
  const { counts } = segmentation;
  try {
    return { height, width, counts: typeof counts === 'string' ? textToCounts(counts) : counts };
  } catch (error) {
    throw errors.dataUnreadable(path, (error as Error).message);
  }
}

/**
 * Pixels whose centre lies in one of the polygons (even-odd within each). pycocotools draws outlines on a finer grid and may differ by
 * pixels along them.
 */
export function polygonMask(
  polygons: readonly number[][],
  { width, height }: { width: number; height: number },
): Uint8Array {
  const mask = new Uint8Array(width * height);
  for (const points of polygons) {
    const corners = points.length / 2;
    for (let row = 0; row < height; row++) {
      const y = row + 0.5;
      const crossings: number[] = [];
      for (let at = 0; at < corners; at++) {
        const next = (at + 1) % corners;
        const [x0, y0, x1, y1] = [points[2 * at]!, points[2 * at + 1]!, points[2 * next]!, points[2 * next + 1]!];
        if (y0 <= y === y1 <= y) continue;
        crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
      }
      crossings.sort((a, b) => a - b);
      for (let at = 0; at + 1 < crossings.length; at += 2)
        for (let x = Math.max(0, Math.ceil(crossings[at]! - 0.5)); x < Math.min(width, crossings[at + 1]! - 0.5); x++)
          mask[row * width + x] = 1;
    }
  }
  return mask;
}
