import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { FaultyImage } from '../../../runtime/data/dataset.ts';
import { decodeFile, decodeImage } from '../../../runtime/data/decode.ts';
import { randomStream } from '../../../runtime/data/random.ts';
import { pngOf } from './pngFile.ts';

const [width, height] = [40, 30];
const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => (7 * i + (i >> 5)) % 256);
const raw = () => sharp(pixels, { raw: { width, height, channels: 3 } });

/** A PNG that says it has so many pixels. */
const pngHeader = (widthPx: number, heightPx: number): Buffer =>
  pngOf({ widthPx, heightPx, bitDepth: 8, colourType: 2 }, deflateSync(Buffer.alloc(1000)));

let files: Record<'png' | 'jpeg' | 'webp' | 'gif' | 'tiff', Buffer>;
beforeAll(async () => {
  files = {
    png: await raw().png().toBuffer(),
    jpeg: await raw().jpeg().toBuffer(),
    webp: await raw().webp({ lossless: true }).toBuffer(),
    gif: await raw().gif().toBuffer(),
    tiff: await raw().tiff({ compression: 'lzw' }).toBuffer(),
  };
});

describe('decodeImage', () => {
  it('reads lossless formats exactly', async () => {
    for (const format of ['png', 'webp', 'tiff'] as const) {
      const image = await decodeImage(files[format]);
      expect({ ...image, data: null }).toEqual({ widthPx: width, heightPx: height, channels: 3, data: null });
      expect(Buffer.from(image.data).equals(pixels)).toBe(true);
    }
  });

  it('gives three channels for grey, alpha, palette, CMYK, 16 bits and animations', async () => {
    const grey = await sharp(pixels.subarray(0, width * height), { raw: { width, height, channels: 1 } })
      .png()
      .toBuffer();
    const alpha = await raw().ensureAlpha(0.3).png().toBuffer();
    const cmyk = await raw().toColourspace('cmyk').jpeg().toBuffer();
    const deep = await raw().toColourspace('rgb16').png().toBuffer();
    const animation = await sharp([files.png, await raw().negate().png().toBuffer()], { join: { animated: true } })
      .gif()
      .toBuffer();
    for (const file of [grey, alpha, cmyk, deep, animation, files.gif]) {
      const image = await decodeImage(file);
      expect([image.widthPx, image.heightPx, image.data.length]).toEqual([
        width,
        height,
        width * height * image.channels,
      ]);
    }
    expect(Buffer.from((await decodeImage(alpha)).data).equals(pixels)).toBe(true);
  });

  it('ignores orientation tags and colour profiles', async () => {
    const turned = await raw().withMetadata({ orientation: 6 }).withIccProfile('p3').png().toBuffer();
    const image = await decodeImage(turned);
    expect([image.widthPx, image.heightPx]).toEqual([width, height]);
  });

  it.each<[string, () => Uint8Array, RegExp]>([
    ['an empty file', () => new Uint8Array(), /the file is empty/],
    ['a JPEG cut in the middle', () => files.jpeg.subarray(0, files.jpeg.length >> 1), /./],
    ['a JPEG of two bytes', () => files.jpeg.subarray(0, 2), /content is not/],
    ['a PNG cut in the middle', () => files.png.subarray(0, files.png.length >> 1), /./],
    ['a PNG of 623 megapixels', () => pngHeader(28_000, 22_250), /exceeds pixel limit/],
    [
      'a drawing',
      () =>
        Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>'),
      /content is not JPEG/,
    ],
    ['a bitmap', () => Buffer.from('BM' + 'x'.repeat(100)), /content is not JPEG/],
    ['a PDF', () => Buffer.from('%PDF-1.4 ' + 'x'.repeat(100)), /content is not JPEG/],
  ])('refuses %s', async (_name, file, reason) => {
    const failure = await decodeImage(file()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FaultyImage);
    expect((failure as Error).message).toMatch(reason);
  });

  it('names why a file can not be read', async () => {
    await expect(decodeFile('/no/such/file.png')).rejects.toThrow(/^ENOENT$/);
    await expect(decodeFile('/')).rejects.toThrow(/^EISDIR$/);
  });

  it('survives mutated files: an image of a bounded size or a FaultyImage, nothing else', async () => {
    const random = randomStream({ seed: 11, purpose: 'synthetic' });
    let decoded = 0;
    let refused = 0;
    for (let round = 0; round < 60; round++)
      for (const file of Object.values(files)) {
        const mutated = Uint8Array.from(file);
        const changes = 1 + random.integer(8);
        for (let change = 0; change < changes; change++) {
          // Half of the changes hit the headers.
          const at = random.integer(random.integer(2) === 0 ? Math.min(64, mutated.length) : mutated.length);
          mutated[at] = random.integer(256);
        }
        const cut = random.integer(4) === 0 ? mutated.subarray(0, random.integer(mutated.length)) : mutated;
        try {
          const { widthPx, heightPx, channels, data } = await decodeImage(cut);
          expect(data.length).toBe(widthPx * heightPx * channels);
          decoded++;
        } catch (error) {
          expect(error).toBeInstanceOf(FaultyImage);
          expect((error as Error).message).not.toBe('');
          refused++;
        }
      }
    expect(decoded + refused).toBe(300);
    expect(refused).toBeGreaterThan(60);
  }, 120_000);
});
