import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createImageKernels } from '../../../runtime/data/kernels/imageKernels.ts';
import { randomStream } from '../../../runtime/data/random.ts';

it('the binary is what its sources compile to', async () => {
  const script = join(import.meta.dirname, '../../../scripts/buildKernels.mjs');
  await promisify(execFile)(process.execPath, [script, '--check']);
}, 120_000);

describe('rotateHue', () => {
  // Every value of every channel in steps of 5 and the corners, so that every sector, grey and ties of channels occur.
  const levels = [...Array.from({ length: 52 }, (_, i) => 5 * i), 1, 2, 254];

  it.each([0, 1, 25, 128, 231])('does four pixels at a time what it does to one, shift %i', (shift) => {
    const kernels = createImageKernels();
    const pixels = levels.length ** 3;
    const planeBytes = Math.ceil(pixels / 16) * 16 + 64;
    const first = kernels.heapBase() + 64;
    const second = first + 3 * planeBytes;
    kernels.reserve(second + 3 * planeBytes);
    const bytes = kernels.bytes();
    for (const planes of [first, second])
      for (let i = 0; i < pixels; i++) {
        bytes[planes + i] = levels[Math.floor(i / levels.length ** 2)]!;
        bytes[planes + planeBytes + i] = levels[Math.floor(i / levels.length) % levels.length]!;
        bytes[planes + 2 * planeBytes + i] = levels[i % levels.length]!;
      }
    kernels.rotateHue(first, planeBytes, pixels, shift);
    for (let i = 0; i < pixels; i++) kernels.rotateOne(second + i, planeBytes, shift);
    for (let c = 0; c < 3; c++) {
      const plane = (planes: number) =>
        Buffer.from(bytes.subarray(planes + c * planeBytes, planes + c * planeBytes + pixels));
      expect(plane(first).equals(plane(second))).toBe(true);
    }
  });
});

it('sumLuma counts no pixel past the last', () => {
  const kernels = createImageKernels();
  const planes = kernels.heapBase() + 64;
  kernels.reserve(planes + 4096);
  const random = randomStream({ seed: 0, purpose: 'synthetic' });
  const bytes = kernels.bytes();
  for (let i = 0; i < 3 * 200; i++) bytes[planes + i] = random.integer(256);
  for (const pixels of [1, 7, 8, 9, 100]) {
    let expected = 0;
    for (let i = 0; i < pixels; i++)
      expected +=
        (19595 * bytes[planes + i]! + 38470 * bytes[planes + 200 + i]! + 7471 * bytes[planes + 400 + i]! + 32768) >> 16;
    expect(kernels.sumLuma(planes, 200, pixels)).toBe(expected);
  }
});
