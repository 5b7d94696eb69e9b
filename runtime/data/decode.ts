/**
 * Image files to RGB bytes as Pillow's `convert('RGB')` gives them: no colour management, alpha dropped, orientation
 * tags ignored, first frame of an animation.
 *
 * Two kinds differ from Pillow: CMYK JPEG go through libvips' conversion, and 16-bit channels are scaled to 8 bits
 * where Pillow clips them.
 */
import { readFile, stat } from 'node:fs/promises';
import sharp from 'sharp';
import { FaultyImage, type RawImage } from './dataset.ts';

/** Larger images are refused: 2^27 pixels decode to 400 MB. */
export const maxImagePixels = 2 ** 27;
/** Larger files are refused before they are read. */
export const maxFileBytes = 2 ** 28;

// Data workers are the parallelism; libvips' cache never hits, since no image is decoded twice within its reach.
sharp.concurrency(1);
sharp.cache(false);

/** Decodes a file. Rejects with `FaultyImage`. */
export async function decodeFile(path: string): Promise<RawImage> {
  let file: Buffer;
  try {
    const { size } = await stat(path);
    if (size > maxFileBytes) throw new FaultyImage(`its ${size} bytes are more than the limit of ${maxFileBytes}`);
    file = await readFile(path);
  } catch (error) {
    if (error instanceof FaultyImage) throw error;
    throw new FaultyImage((error as NodeJS.ErrnoException).code ?? String(error), { cause: error });
  }
  return decodeImage(file);
}

/** Decodes an encoded image. Rejects with `FaultyImage`. */
export async function decodeImage(file: Uint8Array): Promise<RawImage> {
  if (file.length === 0) throw new FaultyImage('the file is empty');
  if (!isImage(file)) throw new FaultyImage('its content is not JPEG, PNG, WebP, GIF, TIFF or AVIF');
  try {
    const { data, info } = await sharp(file, { ignoreIcc: true, limitInputPixels: maxImagePixels, failOn: 'error' })
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3 && info.channels !== 1) throw new FaultyImage(`it decodes to ${info.channels} channels`);
    return { widthPx: info.width, heightPx: info.height, channels: info.channels, data };
  } catch (error) {
    if (error instanceof FaultyImage) throw error;
    throw new FaultyImage(firstLine(error), { cause: error });
  }
}

/**
 * Whether the content begins as one of the formats does; keeps text formats such as SVG away from their interpreters.
 */
function isImage(file: Uint8Array): boolean {
  const head = Buffer.from(file.subarray(0, 16)).toString('latin1');
  return (
    head.startsWith('\xff\xd8\xff') ||
    head.startsWith('\x89PNG\r\n\x1a\n') ||
    (head.startsWith('RIFF') && head.startsWith('WEBP', 8)) ||
    head.startsWith('GIF87a') ||
    head.startsWith('GIF89a') ||
    head.startsWith('II*\0') ||
    head.startsWith('MM\0*') ||
    head.startsWith('ftypavi', 4)
  );
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n').find((line) => line.trim() !== '') ?? 'unknown reason';
}
