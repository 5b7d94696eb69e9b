/** Folders of small images with masks, as the evaluations' data sets lay them out: a bright square on a dark ground, each. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

export const sidePx = 48;

/** A square of 16 px; `kind` is the class of its pixels, and decides its colour. */
export interface Square {
  left: number;
  top: number;
  kind: number;
}

const squarePx = 16;
const colours: Readonly<Record<number, readonly [number, number, number]>> = { 1: [230, 60, 40], 2: [40, 90, 240] };

/** Squares at places and of classes that the number decides; they begin at whole patches of 4. */
export function squareOf(number: number): Square {
  return { left: 4 * ((number * 3) % 9), top: 4 * ((number * 5) % 9), kind: 1 + (number % 2) };
}

/** Class of each pixel, row-major; 0 beside the square. */
export function maskOf({ left, top, kind }: Square): Uint8Array {
  return Uint8Array.from({ length: sidePx ** 2 }, (_, at) => {
    const [x, y] = [at % sidePx, Math.floor(at / sidePx)];
    return x >= left && x < left + squarePx && y >= top && y < top + squarePx ? kind : 0;
  });
}

export async function writeImage(path: string, square: Square): Promise<void> {
  const colour = colours[square.kind]!;
  const pixels = Buffer.alloc(sidePx ** 2 * 3);
  maskOf(square).forEach((inside, at) => {
    // A ground that is not all the same, as no photo's is.
    const shade = 20 + ((at * 7919) % 23);
    for (let channel = 0; channel < 3; channel++) pixels[3 * at + channel] = inside ? colour[channel]! : shade;
  });
  mkdirSync(dirname(path), { recursive: true });
  await sharp(pixels, { raw: { width: sidePx, height: sidePx, channels: 3 } })
    .png()
    .toFile(path);
}

/** A PNG whose pixels are the numbers of `mask`, which is square. */
export async function writeMask(path: string, mask: Uint8Array): Promise<void> {
  const side = Math.sqrt(mask.length);
  mkdirSync(dirname(path), { recursive: true });
  await sharp(mask, { raw: { width: side, height: side, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toFile(path);
}

/** PASCAL VOC's folders, with lists of six images to train on and four to test. */
export async function writeVoc(folder: string): Promise<Square[]> {
  const squares = Array.from({ length: 10 }, (_, number) => squareOf(number));
  for (const [number, square] of squares.entries()) {
    await writeImage(join(folder, 'JPEGImages', `${number}.png`), square);
    await writeMask(join(folder, 'SegmentationClass', `${number}.png`), maskOf(square));
  }
  const lists = join(folder, 'ImageSets', 'Segmentation');
  mkdirSync(lists, { recursive: true });
  writeFileSync(join(lists, 'train.txt'), '0\n1\n2\n3\n4\n5\n');
  writeFileSync(join(lists, 'val.txt'), '6\n7\n8\n9\n');
  return squares.slice(6);
}

/** ADE20K's folders: two images to train on and one to test, all of class 1. Class 0 is no class there. */
export async function writeAde(folder: string): Promise<void> {
  for (const [split, number] of [
    ['training', 0],
    ['training', 2],
    ['validation', 4],
  ] as const) {
    const square = squareOf(number);
    await writeImage(join(folder, 'images', split, `${number}.png`), square);
    await writeMask(join(folder, 'annotations', split, `${number}.png`), maskOf(square));
  }
}

/** COCO's instances file on a VOC folder's images: the squares as polygons. */
export function writeCoco(path: string, squares: readonly Square[], names: readonly string[]): void {
  writeFileSync(
    path,
    JSON.stringify({
      images: names.map((name, index) => ({ id: index + 1, file_name: name, width: sidePx, height: sidePx })),
      annotations: squares.map(({ left, top, kind }, index) => {
        const [right, bottom] = [left + squarePx, top + squarePx];
        return {
          image_id: index + 1,
          category_id: kind,
          iscrowd: 0,
          area: squarePx ** 2,
          bbox: [left, top, squarePx, squarePx],
          segmentation: [[left, top, right, top, right, bottom, left, bottom]],
        };
      }),
    }),
  );
}

/** DAVIS' folders with one video of five frames; `truth` says where the object is said to be in each. */
export async function writeDavis(
  folder: string,
  name: string,
  square: Square,
  truth: (frame: number) => Uint8Array,
): Promise<void> {
  for (let frame = 0; frame < 5; frame++) {
    await writeImage(join(folder, 'JPEGImages', '480p', name, `0000${frame}.png`), square);
    await writeMask(join(folder, 'Annotations', '480p', name, `0000${frame}.png`), truth(frame));
  }
}

/** A tree of class folders with `train/` and `val/`: the same images in both, and in `val/` under the names of `labels`. */
export async function writeClasses(folder: string, labels: readonly [string, string] = ['a', 'b']): Promise<void> {
  for (let number = 0; number < 8; number++) {
    const square = squareOf(number);
    await writeImage(join(folder, 'train', square.kind === 1 ? 'a' : 'b', `${number}.png`), square);
    await writeImage(join(folder, 'val', labels[square.kind - 1]!, `${number}.png`), square);
  }
}
