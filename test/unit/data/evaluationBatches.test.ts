import { beforeAll, describe, expect, it } from 'vitest';
import { FaultyImage, type Split } from '../../../runtime/data/dataset.ts';
import { syntheticSplit } from '../../../runtime/data/datasets/synthetic.ts';
import { evaluationBatches, type EvaluationOptions } from '../../../runtime/data/evaluationBatches.ts';
import { createRenderer } from '../../../runtime/data/views/renderer.ts';
import { buildDataWorker } from './builtWorker.ts';

const split = syntheticSplit({ source: 'synthetic', name: 'test', size: 23, classCount: 5, sizePx: 24 });
const options: EvaluationOptions = { resizePx: 20, cropPx: 16, batchSize: 8, workers: 0 };

async function collect(of: Split, over: Partial<EvaluationOptions> = {}) {
  const all = { sizes: [] as number[], images: [] as number[], labels: [] as number[], pixels: [] as Buffer[] };
  for await (const batch of evaluationBatches(of, { ...options, ...over })) {
    all.sizes.push(batch.size);
    all.images.push(...batch.images);
    all.labels.push(...batch.labels!);
    all.pixels.push(Buffer.from(batch.pixels));
  }
  return { ...all, pixels: Buffer.concat(all.pixels) };
}

let workerScript: URL;
beforeAll(async () => {
  workerScript = await buildDataWorker();
});

describe('evaluationBatches', () => {
  it('gives every image once, in order, with its label and its central crop', async () => {
    const { sizes, images, labels, pixels } = await collect(split);
    expect(sizes).toEqual([8, 8, 7]);
    expect(images).toEqual(Array.from({ length: 23 }, (_, index) => index));
    expect(labels).toEqual(images.map((image) => image % 5));
    const renderer = createRenderer();
    for (const image of images) {
      renderer.load(await split.image(image));
      const out = new Uint8Array(3 * 16 * 16);
      renderer.renderEvaluation(20, 16, out);
      expect(pixels.subarray(image * out.length, (image + 1) * out.length).equals(out)).toBe(true);
    }
  });

  it('is the same in worker threads', async () => {
    expect(await collect(split, { workers: 2, workerScript })).toEqual(await collect(split));
  });

  it('stops at `images`, and can be left early', async () => {
    expect((await collect(split, { images: 10 })).sizes).toEqual([8, 2]);
    for await (const batch of evaluationBatches(split, { ...options, workers: 1, workerScript })) {
      expect(batch.size).toBe(8);
      break;
    }
  });

  it('leaves faulty images out and reports them', async () => {
    const faults: string[] = [];
    const bad = new Set([0, 9, 15, 22]);
    const damaged: Split = {
      ...split,
      image: (index) => (bad.has(index) ? Promise.reject(new FaultyImage('damaged')) : split.image(index)),
    };
    const { sizes, images, pixels } = await collect(damaged, { onFaulty: (image) => faults.push(image) });
    expect(sizes).toEqual([7, 6, 6]);
    expect(images).toEqual(Array.from({ length: 23 }, (_, index) => index).filter((index) => !bad.has(index)));
    expect(faults).toHaveLength(4);
    const whole = await collect(split);
    const bytes = 3 * 16 * 16;
    images.forEach((image, place) => {
      const [got, expected] = [
        pixels.subarray(place * bytes, (place + 1) * bytes),
        whole.pixels.subarray(image * bytes, (image + 1) * bytes),
      ];
      expect(got.equals(expected)).toBe(true);
    });
  });
});
