import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { randomStream } from '../runtime/data/random.ts';

/** Writes JPEGs that cost what photographs do to decode: noise of five octaves per channel, quality 92. */
export async function writePhotographs(
  folder: string,
  count: number,
  widthPx: number,
  heightPx: number,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let image = readdirSync(folder).length; image < count; image++) {
    const random = randomStream({ seed: 0, purpose: 'synthetic', image });
    const sum = new Float32Array(3 * widthPx * heightPx).fill(128);
    for (const cells of [3, 8, 24, 72, 200]) {
      const [width, height] = [cells, Math.ceil((cells * heightPx) / widthPx)];
      const noise = Buffer.from(Array.from({ length: 3 * width * height }, () => random.integer(256)));
      const octave = await sharp(noise, { raw: { width, height, channels: 3 } })
        .resize(widthPx, heightPx, { kernel: 'cubic', fit: 'fill' })
        .raw()
        .toBuffer();
      const amplitude = 0.9 / cells ** 0.3;
      for (let i = 0; i < sum.length; i++) sum[i]! += amplitude * (octave[i]! - 128);
    }
    const pixels = Uint8ClampedArray.from(sum);
    const jpeg = await sharp(pixels, { raw: { width: widthPx, height: heightPx, channels: 3 } })
      .jpeg({ quality: 92 })
      .toBuffer();
    writeFileSync(join(folder, `${String(image).padStart(3, '0')}.jpg`), jpeg);
  }
}
