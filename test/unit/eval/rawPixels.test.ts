import { describe, expect, it } from 'vitest';
import { rawPixels } from '../../../runtime/eval/extractFeatures.ts';

const normalisation = { mean: [0.5, 0.25, 0], std: [0.5, 0.25, 1] };

describe('rawPixels', () => {
  it('normalises each channel as the network gets it', async () => {
    const pixels = new Uint8Array([255, 0, 51, 0, 255, 102]);
    const features = await rawPixels({ channels: 3 }, normalisation)(pixels, 1);
    [1, -1, 0.2, -1, 3, 0.4].forEach((value, at) => expect(features[at]).toBeCloseTo(value, 6));
    expect(features).toHaveLength(6);
  });

  it('takes one of the equal channels of grey images', async () => {
    const features = await rawPixels({ channels: 1 }, normalisation)(new Uint8Array([255, 255, 255, 0, 0, 0]), 1);
    expect([...features]).toEqual([1, -1]);
  });
});
