import { expect, it } from 'vitest';
import { configSchema, type ResolvedConfig } from '../../../configs/schema.ts';
import { openSynthetic } from '../../../runtime/data/datasets/synthetic.ts';
import { teacherFeatures, type FeatureEvaluation } from '../../../runtime/eval/evaluationFeatures.ts';
import { featureBatch } from '../../../runtime/programs.ts';
import type { TrainingExecutor } from '../../../runtime/trainingExecutor.ts';

const width = 8;
const config = configSchema.parse({
  data: { kind: 'synthetic', synthetic: { images: 40, classes: 4, sizePx: 16 } },
  crops: { global: { sizePx: 16 } },
  model: { architecture: 'custom', width, depth: 3, heads: 1, patchSizePx: 4 },
  eval: {
    split: 'validation',
    knn: { galleryImages: 9, queryImages: 5 },
    linear: { protocol: 'v2', blocks: [1, 2], testImages: 7 },
  },
  runtime: { dataWorkers: 0 },
}) as ResolvedConfig;

/** A network whose blocks see the mean of the pixels, each in its own way. A row for probing: the last two blocks' CLS tokens, the mean patch token. */
function executor(): { seen: number; asExecutor: TrainingExecutor } {
  const image = (pixels: Uint8Array, place: number, count: number) => {
    const bytes = pixels.subarray((place * pixels.length) / count, ((place + 1) * pixels.length) / count);
    return bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length;
  };
  const rows = (factors: readonly number[]) => (pixels: Uint8Array, count: number) => {
    counted.seen += count;
    return Promise.resolve(
      Float32Array.from({ length: count * factors.length }, (_, at) => {
        const place = Math.floor(at / factors.length);
        return factors[at % factors.length]! * image(pixels, place, count);
      }),
    );
  };
  const token = (index: number) => Array.from({ length: width }, (_, channel) => 1 + index * width + channel);
  const counted = { seen: 0 };
  const asExecutor = {
    featureBatch: 4,
    features: rows(token(1)),
    probeFeatures: rows([...token(0), ...token(1), ...token(2)]),
  };
  return Object.assign(counted, { asExecutor: asExecutor as unknown as TrainingExecutor });
}

async function take(...evaluations: FeatureEvaluation[]) {
  const network = executor();
  const dataset = await openSynthetic(config.data, '.', {});
  return { ...(await teacherFeatures(network.asExecutor, dataset, config, { evaluations })), seen: network.seen };
}

it('takes each image through the network once for k-NN and linear classifiers, with the features of either alone', async () => {
  const [both, knn, linear] = [await take('knn', 'linear'), await take('knn'), await take('linear')];
  expect(both.knn).toEqual(knn.knn);
  expect(both.linear).toEqual(linear.linear);
  expect(knn.linear).toBeUndefined();
  expect(knn.knn).toMatchObject({ gallery: { count: 9, width }, queries: { count: 5 } });
  expect(linear.linear).toMatchObject({ train: { count: 40, width: 3 * width }, test: { count: 7 }, storedBlocks: 2 });
  expect([both.seen, knn.seen, linear.seen]).toEqual([40 + 7, 9 + 5, 40 + 7]);
});

it('samples the same images in the order of the split, whatever their number', async () => {
  const { knn, linear } = await take('linear', 'knn');
  const rowOf = ({ features_ND, width: columns }: { features_ND: Float32Array; width: number }, row: number) =>
    features_ND[row * columns + (columns === width ? 0 : width)]!;
  const all = Array.from({ length: 40 }, (_, row) => rowOf(linear!.train, row));
  const sample = Array.from({ length: 9 }, (_, row) => all.indexOf(rowOf(knn!.gallery, row)));
  expect(sample).toEqual([...sample].sort((a, b) => a - b));
  expect(sample).not.toContain(-1);
  expect([...knn!.gallery.labels_N]).toEqual(sample.map((image) => linear!.train.labels_N[image]));
  expect(new Set(knn!.gallery.labels_N).size).toBeGreaterThan(1);
});

it('takes fewer images at a time where their attention would be large', () => {
  const batchAt = (heads: number, patchSizePx: number) =>
    featureBatch(
      configSchema.parse({
        data: config.data,
        crops: { global: { sizePx: 224 } },
        model: { architecture: 'custom', width: 16, heads, patchSizePx },
      }) as ResolvedConfig,
    );
  expect(batchAt(4, 16)).toBe(128);
  // 2^26 numbers of 4 bytes: 3 images of 2 heads and 3,137 tokens.
  expect(batchAt(2, 4)).toBe(3);
  expect(batchAt(16, 4)).toBe(1);
});
