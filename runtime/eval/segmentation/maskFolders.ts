/** Folders of images with masks, as PASCAL VOC, ADE20K and DAVIS lay them out. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { errors } from '../../../protocol/errors.ts';
import type { RawImage } from '../../data/dataset.ts';
import { FaultyImage } from '../../data/dataset.ts';
import { decodeFile } from '../../data/decode.ts';
import { readIndexedPng } from './indexedPng.ts';

export interface MaskedImage {
  name: string;
  imagePath: string;
  maskPath: string;
}

export interface SegmentationFolder {
  path: string;
  kind: 'voc' | 'ade';
  train: MaskedImage[];
  /** Without a list of its own, the training images again: `isSplit` says so. */
  test: MaskedImage[];
  isSplit: boolean;
  /** Names of the classes in the order of their numbers, where the folder has them. */
  classes: string[] | null;
}

const vocMasks = ['SegmentationClassPNG', 'SegmentationClass'];

/** A folder with `JPEGImages/` (VOC) or `images/training/` (ADE20K). @throws dataEmpty */
export function openSegmentationFolder(path: string): SegmentationFolder {
  if (existsSync(join(path, 'images', 'training'))) {
    const split = (name: string) => pairs(join(path, 'images', name), join(path, 'annotations', name));
    return { path, kind: 'ade', train: split('training'), test: split('validation'), isSplit: true, classes: null };
  }
  const masks = vocMasks.map((name) => join(path, name)).find((folder) => existsSync(folder));
  if (!existsSync(join(path, 'JPEGImages')) || !masks)
    throw errors.dataEmpty(path, 'JPEGImages/ and SegmentationClass/ (VOC), or images/ and annotations/ (ADE20K)');
  const all = pairs(join(path, 'JPEGImages'), masks);
  const list = (name: string) => {
    const file = join(path, 'ImageSets', 'Segmentation', `${name}.txt`);
    if (!existsSync(file)) return null;
    const names = new Set(readFileSync(file, 'utf8').split(/\s+/));
    return all.filter(({ name: one }) => names.has(one));
  };
  const [train, test] = [list('train'), list('val')];
  const classFile = join(path, 'class_names.txt');
  const classes = existsSync(classFile) ? readFileSync(classFile, 'utf8').split('\n').filter(Boolean) : null;
  return train && test
    ? { path, kind: 'voc', train, test, isSplit: true, classes }
    : { path, kind: 'voc', train: all, test: all, isSplit: false, classes };
}

export interface VideoSequence {
  name: string;
  frames: { imagePath: string; maskPath: string | null }[];
}

/** DAVIS' `JPEGImages/480p/SEQUENCE/` and `Annotations/480p/SEQUENCE/`, or one sequence as a VOC folder. @throws dataEmpty */
export function openVideoFolder(path: string): VideoSequence[] {
  const [frames, masks] = [join(path, 'JPEGImages', '480p'), join(path, 'Annotations', '480p')];
  if (existsSync(frames)) {
    const list = join(path, 'ImageSets', '2017', 'val.txt');
    const names = existsSync(list)
      ? readFileSync(list, 'utf8').split(/\s+/).filter(Boolean)
      : readdirSync(frames).sort();
    return names.map((name) => sequence(name, join(frames, name), join(masks, name)));
  }
  const ofVoc = vocMasks.map((name) => join(path, name)).find((folder) => existsSync(folder));
  if (!existsSync(join(path, 'JPEGImages')) || !ofVoc)
    throw errors.dataEmpty(
      path,
      'JPEGImages/480p/ and Annotations/480p/ (DAVIS), or JPEGImages/ and SegmentationClass/',
    );
  return [sequence(basename(path), join(path, 'JPEGImages'), ofVoc)];
}

/** An image and its mask. @throws dataUnreadable, maskUnreadable where their sizes differ */
export async function readMasked({
  imagePath,
  maskPath,
}: Omit<MaskedImage, 'name'>): Promise<{ image: RawImage; mask: Uint8Array }> {
  const image = await readImage(imagePath);
  const mask = readIndexedPng(maskPath);
  if (mask.widthPx !== image.widthPx || mask.heightPx !== image.heightPx)
    throw errors.maskUnreadable(
      maskPath,
      `it has ${mask.widthPx} x ${mask.heightPx} pixels, its image ${image.widthPx} x ${image.heightPx}`,
    );
  return { image, mask: mask.data };
}

export async function readImage(path: string): Promise<RawImage> {
  try {
    return await decodeFile(path);
  } catch (error) {
    if (error instanceof FaultyImage) throw errors.dataUnreadable(path, error.message);
    throw error;
  }
}

function sequence(name: string, frames: string, masks: string): VideoSequence {
  const found = imagesOf(frames).map((imagePath) => {
    const maskPath = join(masks, `${stem(imagePath)}.png`);
    return { imagePath, maskPath: existsSync(maskPath) ? maskPath : null };
  });
  if (!found[0]?.maskPath) throw errors.dataEmpty(masks, 'a mask of the first frame');
  return { name, frames: found };
}

function pairs(images: string, masks: string): MaskedImage[] {
  const found = imagesOf(images).flatMap((imagePath) => {
    const name = stem(imagePath);
    const maskPath = join(masks, `${name}.png`);
    return existsSync(maskPath) ? [{ name, imagePath, maskPath }] : [];
  });
  if (found.length === 0) throw errors.dataEmpty(images, `images with a PNG of the same name in ${masks}`);
  return found;
}

function imagesOf(folder: string): string[] {
  if (!existsSync(folder)) throw errors.dataPathMissing(folder);
  return readdirSync(folder)
    .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function stem(path: string): string {
  return basename(path, extname(path));
}
