import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crc32 } from '../../../runtime/checkpoint/foreign/crc32.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';
import { polygonMask, readCoco } from '../../../runtime/eval/coco/cocoFile.ts';
import { readIndexedPng } from '../../../runtime/eval/segmentation/indexedPng.ts';
import { segmentationFigures, trainSegmentation } from '../../../runtime/eval/segmentation/linearSegmentation.ts';
import { openSegmentationFolder, openVideoFolder, readMasked } from '../../../runtime/eval/segmentation/maskFolders.ts';
import { segmentationBlocks } from '../../../runtime/eval/segmentation/segmentFolder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'masks-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A grey PNG of 8 bits whose rows are all stored with one filter, from raw bytes that were filtered already. */
function png(
  widthPx: number,
  heightPx: number,
  filtered: Buffer,
  header: { colour?: number; claim?: number } = {},
): Buffer {
  const chunk = (kind: string, content: Buffer) => {
    const body = Buffer.concat([Buffer.from(kind, 'latin1'), content]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(content.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(header.claim ?? widthPx, 0);
  head.writeUInt32BE(heightPx, 4);
  head[8] = 8;
  head[9] = header.colour ?? 0;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(filtered)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('masks as PNG', () => {
  test('give their numbers, whatever the rows were predicted from', async () => {
    const data = Uint8Array.from({ length: 40 * 30 }, (_, at) => (at * at) % 21);
    const path = join(folder, 'mask.png');
    // libpng chooses filters row by row.
    await sharp(data, { raw: { width: 40, height: 30, channels: 1 } })
      .toColourspace('b-w')
      .png({ adaptiveFiltering: true })
      .toFile(path);
    expect(readIndexedPng(path)).toEqual({ widthPx: 40, heightPx: 30, data });
  });

  test('that are colours, larger than they say, or cut short are refused', () => {
    const write = (content: Buffer) => {
      const path = join(folder, 'mask.png');
      writeFileSync(path, content);
      return () => readIndexedPng(path);
    };
    const rows = Buffer.alloc(4 * 5);
    const good = png(4, 4, rows);
    expect(write(good)().data).toHaveLength(16);
    expect(write(png(4, 4, rows, { colour: 2 }))).toThrow(/colours, not numbers/);
    expect(write(png(4, 4, Buffer.alloc(50_000_000)))).toThrow(/does not unpack to its size/);
    expect(write(png(4, 4, rows, { claim: 2 ** 30 }))).toThrow(/claims 1073741824 x 4 pixels/);
    expect(write(good.subarray(0, 45))).toThrow(/cut short|unpack/);
    expect(write(Buffer.from('GIF89a'))).toThrow(/not a PNG/);
  });

  test('of another size than their image are refused', async () => {
    mkdirSync(join(folder, 'JPEGImages'));
    mkdirSync(join(folder, 'SegmentationClass'));
    const image = join(folder, 'JPEGImages', 'a.png');
    await sharp({ create: { width: 8, height: 6, channels: 3, background: '#888' } })
      .png()
      .toFile(image);
    writeFileSync(join(folder, 'SegmentationClass', 'a.png'), png(4, 4, Buffer.alloc(20)));
    const { test: found, isSplit } = openSegmentationFolder(folder);
    expect(isSplit).toBe(false);
    await expect(readMasked(found[0]!)).rejects.toThrow(/it has 4 x 4 pixels, its image 8 x 6/);
    expect(openVideoFolder(folder)[0]!.frames).toHaveLength(1);
    expect(() => openSegmentationFolder(join(folder, 'JPEGImages'))).toThrow(/JPEGImages\/ and SegmentationClass\//);
  });
});

describe('one linear layer on patch tokens', () => {
  test('learns which token is which class, and ignores pixels that are not labelled', async () => {
    const engine = createOnnxEngine({ threads: 1 });
    let state = 5;
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
    const grid = { rows: 2, columns: 2 };
    const window = () => {
      const classes = Array.from({ length: 4 }, () => Math.floor(random() * 3));
      const features = Float32Array.from({ length: 4 * 3 }, (_, at) =>
        classes[Math.floor(at / 3)] === at % 3 ? 1 : 0,
      );
      // Each patch is 4 x 4 labels; the outermost are not labelled.
      const labels = Uint8Array.from({ length: 64 }, (_, at) => {
        const [x, y] = [at % 8, Math.floor(at / 8)];
        return x === 0 || y === 0 ? 255 : classes[Math.floor(y / 4) * 2 + Math.floor(x / 4)]!;
      });
      return { features, labels, classes };
    };
    const windows = Array.from({ length: 40 }, window);
    const { segment, lastLoss, close } = await trainSegmentation(
      windows,
      { grid, width: 3, classes: 3, labelSide: 8, batch: 4, steps: 150, rate: 0.1, weightDecay: 0 },
      engine,
      random,
    );
    expect(lastLoss).toBeLessThan(0.6);
    const fresh = window();
    const scores = await segment(fresh.features);
    const predicted = Array.from({ length: 4 }, (_, patch) => {
      const own = Array.from(scores.subarray(patch * 3, patch * 3 + 3));
      return own.indexOf(Math.max(...own));
    });
    expect(predicted).toEqual(fresh.classes);
    await close();
  });

  test('is judged by class: figures of a confusion matrix', () => {
    // Truth 0: 3 right, 1 taken for 1. Truth 1: 2 right, 2 taken for 0. Class 2 does not occur.
    const figures = segmentationFigures([3, 1, 0, 2, 2, 0, 0, 0, 0], 3);
    expect(figures.meanIou).toBeCloseTo((3 / 6 + 2 / 5) / 2, 12);
    expect(figures.meanAccuracy).toBeCloseTo((3 / 4 + 2 / 4) / 2, 12);
    expect(figures.pixelAccuracy).toBeCloseTo(5 / 8, 12);
    expect(figures.iou[2]).toBeNaN();
  });

  test('sees blocks 4, 6, 8 and 12 of twelve', () => {
    expect(segmentationBlocks(12)).toEqual([3, 5, 7, 11]);
    expect(segmentationBlocks(24)).toEqual([7, 11, 15, 23]);
    expect(segmentationBlocks(3)).toEqual([0, 1, 2]);
  });
});

describe('COCO\u2019s annotation files', () => {
  test('polygons become pixels whose centres they hold', () => {
    const mask = polygonMask([[1, 1, 4, 1, 4, 3, 1, 3]], { width: 6, height: 4 });
    expect(Array.from(mask).join('')).toBe('000000' + '011100' + '011100' + '000000');
  });
  test('masks of another size, and files that are no annotations', async () => {
    await sharp({ create: { width: 6, height: 4, channels: 3, background: '#888' } })
      .png()
      .toFile(join(folder, 'a.png'));
    const file = (segmentation: object) =>
      JSON.stringify({
        images: [{ id: 1, file_name: 'a.png', width: 6, height: 4 }],
        annotations: [{ image_id: 1, category_id: 3, bbox: [0, 0, 1, 1], segmentation }],
      });
    const load = (text: string) => readCoco(text, 'x.json', folder)[0]!.load();
    expect((await load(file([[1, 1, 4, 1, 4, 3, 1, 3]]))).annotations[0]).toMatchObject({ area: 6, category: 3 });
    await expect(load(file({ size: [9, 9], counts: [81] }))).rejects.toThrow(
      /9 x 9 pixels belongs to an image of 6 x 4/,
    );
    expect(() => readCoco('{}', 'x.json', folder)).toThrow(/no lists/);
  });
});
