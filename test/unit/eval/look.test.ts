import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isLookRecord, lookOfName } from '../../../protocol/lookRecord.ts';
import { readConfigFile } from '../../../runtime/configFile.ts';
import { openBackbone, type Backbone } from '../../../runtime/eval/backbone.ts';
import { attentionMask } from '../../../runtime/eval/look/attentionMask.ts';
import { lookAtImages } from '../../../runtime/eval/look/lookAtImages.ts';
import { covarianceSpectrum, principalComponents } from '../../../runtime/eval/look/principalComponents.ts';
import { effectiveDirections } from '../../../runtime/eval/look/spectrumPicture.ts';
import { writeLook } from '../../../runtime/eval/look/writeLook.ts';

const { config } = readConfigFile('tiny');
let backbone: Backbone;
let folder: string;
beforeAll(async () => {
  backbone = await openBackbone(config, null);
  folder = mkdtempSync(join(tmpdir(), 'look-'));
});
afterAll(async () => {
  await backbone.close();
  rmSync(folder, { recursive: true });
});

const image = (shade: (x: number, y: number) => number) => ({
  widthPx: 24,
  heightPx: 24,
  channels: 3 as const,
  data: Uint8Array.from({ length: 24 * 24 * 3 }, (_, at) => shade(Math.floor(at / 3) % 24, Math.floor(at / 72))),
});

describe('a backbone at work', () => {
  const pixels = Uint8Array.from({ length: 24 * 32 * 3 }, (_, at) => (at * 37) % 256);
  test('takes images that are not square; attention adds up to what the CLS token leaves; keys are alike to themselves', async () => {
    const size = { count: 1, widthPx: 32, heightPx: 24 };
    const grid = backbone.grid(32, 24);
    expect(grid).toEqual({ rows: 6, columns: 8 });
    const { attention, keyCosines, patches, cls, blocks } = await backbone.run(
      pixels,
      size,
      ['attention', 'keyCosines', 'patches', 'cls', 'blocks'],
      { blocks: [0, 1] },
    );
    expect([attention.length, keyCosines.length, patches.length, cls.length, blocks.length]).toEqual([
      2 * 48,
      48 * 48,
      48 * 16,
      16,
      48 * 32,
    ]);
    for (const head of [0, 1]) {
      const total = attention.subarray(head * 48, head * 48 + 48).reduce((a, b) => a + b, 0);
      expect(total).toBeGreaterThan(0.9);
      expect(total).toBeLessThan(1);
    }
    for (let patch = 0; patch < 48; patch++) expect(keyCosines[patch * 49]).toBeCloseTo(1, 5);
    // The last block's tokens are the second half of both blocks' side by side.
    for (let at = 0; at < 16; at++) expect(blocks[16 + at]).toBeCloseTo(patches[at]!, 6);
  });
});

test('pictures of two images are written with a record that names them', async () => {
  const images = [image((x) => x * 10), image((x, y) => ((x + y) % 8) * 30)];
  const looked = await lookAtImages(backbone, images, {
    sizePx: 24,
    mass: 0.6,
    kinds: ['attention', 'heads', 'pca', 'masks'],
    maskCut: { tau: 0.15, masks: 2 },
  });
  expect([...looked[0]!.keys()]).toEqual(['image', 'attention', 'attention mask', 'head 1', 'head 2', 'masks', 'pca']);
  const path = await writeLook(folder, {
    step: 16,
    time: 1000,
    network: 'teacher',
    sizePx: 24,
    images: looked.map((pictures, index) => ({ name: `image ${index}`, pictures })),
    sheets: [],
  });
  expect(lookOfName(path.split('/').at(-1)!)).toEqual({ step: 16, time: 1000 });
  const record: unknown = JSON.parse(readFileSync(join(path, 'look.json'), 'utf8'));
  expect(isLookRecord(record)).toBe(true);
  expect(readdirSync(path).filter((name) => name.endsWith('.png'))).toHaveLength(14);
  const { width, height } = await sharp(join(path, '0-pca.png')).metadata();
  expect([width, height]).toEqual([240, 240]);
});

test('a record that names files elsewhere is refused', () => {
  const record = { version: 1, step: 0, time: 0, network: 'teacher', sizePx: 8, images: [], sheets: [] };
  expect(isLookRecord(record)).toBe(true);
  for (const file of ['../../secret.png', '/etc/passwd', 'a/b.png', 'x.svg'])
    expect(isLookRecord({ ...record, sheets: [{ kind: 'sheet', file }] }), file).toBe(false);
});

describe('principal components', () => {
  test('find the directions along which rows differ most', () => {
    const features = Float32Array.from({ length: 300 }, (_, at) => {
      const row = Math.floor(at / 3);
      return [10 * Math.sin(row), 5 + Math.cos(1.7 * row), 0.01 * Math.sin(5 * row)][at % 3]!;
    });
    const table = { features, rows: 100, width: 3 };
    const projected = principalComponents(table, 2);
    const mean = Array.from({ length: 100 }, (_, row) => features[row * 3]!).reduce((a, b) => a + b, 0) / 100;
    for (let row = 0; row < 100; row++) expect(projected[row * 2]).toBeCloseTo(features[row * 3]! - mean, 0);
    const spectrum = covarianceSpectrum(table);
    expect(spectrum[0]! / spectrum[1]!).toBeGreaterThan(50);
    expect(spectrum[1]! / spectrum[2]!).toBeGreaterThan(500);
  });
  test('effective directions are one of a line and all of a ball', () => {
    expect(effectiveDirections([3, 0, 0])).toBeCloseTo(1, 12);
    expect(effectiveDirections([2, 2, 2, 2])).toBeCloseTo(4, 12);
  });
});

test('an attention mask holds no more patches than it needs', () => {
  expect(Array.from(attentionMask([0.5, 0.1, 0.3, 0.1], 0.75))).toEqual([1, 0, 1, 0]);
  expect(Array.from(attentionMask([0.25, 0.25, 0.25, 0.25], 1))).toEqual([1, 1, 1, 1]);
});
