import { describe, expect, test } from 'vitest';
import type { LabelledFeatures } from '../../../runtime/eval/extractFeatures.ts';
import { buildEvaluationPrograms } from '../../../runtime/eval/evaluationPrograms.ts';
import { evaluateLinear, type LinearConfig } from '../../../runtime/eval/linearProbe.ts';
import { nearestNeighbours, searchOnEngine, type FeatureRows } from '../../../runtime/eval/nearestNeighbours.ts';
import { hostInProcess, type OpenHost } from '../../../runtime/eval/programHost.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';

const engine = createOnnxEngine({ threads: 1 });
const openHost: OpenHost = async (spec, state) => hostInProcess(engine, buildEvaluationPrograms(spec), state);

let state = 7;
const random = () => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;

/** Rows of [CLS of block 1, CLS of block 2, mean patch], width 3 each; the class is the largest channel of the mean patch alone. */
function rows(count: number): LabelledFeatures {
  const features_ND = Float32Array.from({ length: count * 9 }, random);
  const labels_N = Int32Array.from({ length: count }, (_, row) => {
    const mean = features_ND.subarray(row * 9 + 6, row * 9 + 9);
    return mean.indexOf(Math.max(...mean));
  });
  return { features_ND, labels_N, count, width: 9, classCount: 3 };
}

const config: LinearConfig = {
  protocol: 'v2',
  blocks: [1, 2, 4],
  pooling: ['cls', 'clsAndMean'],
  rates: [1e-5, 5],
  epochs: 20,
  batchSize: 16,
};

describe('a grid of linear classifiers', () => {
  test('finds the input and the rate that tell the classes', async () => {
    const evaluation = await evaluateLinear({ train: rows(400), test: rows(101), storedBlocks: 2 }, config, openHost);
    // Four blocks are two of a network of two.
    expect(evaluation.classifiers).toHaveLength(2 * 2 * 2);
    expect(evaluation.best).toMatchObject({ pooling: 'clsAndMean', rate: 5 });
    expect(evaluation.best.top1).toBeGreaterThan(0.9);
    const clsAlone = evaluation.classifiers.filter(({ pooling }) => pooling === 'cls');
    expect(Math.max(...clsAlone.map(({ top1 }) => top1))).toBeLessThan(0.55);
    expect(evaluation.classifiers.every(({ top5 }) => top5 === 1)).toBe(true);
  });

  test('of untrained weights on features of zeros is right by chance only', async () => {
    const blank = rows(90);
    const test = { ...blank, features_ND: new Float32Array(blank.features_ND.length) };
    const { best } = await evaluateLinear(
      { train: blank, test, storedBlocks: 2 },
      { ...config, rates: [1e-9], epochs: 1 },
      openHost,
    );
    expect(best.top1).toBeLessThan(0.6);
  });
});

test('a gallery that is searched in parts has the same neighbours', async () => {
  const gallery: FeatureRows = { rows: 150_000, width: 4, features: Float32Array.from({ length: 600_000 }, random) };
  const queries: FeatureRows = { rows: 5, width: 4, features: Float32Array.from({ length: 20 }, random) };
  const expected = nearestNeighbours(gallery, queries, { k: 7 });
  const got = await searchOnEngine(gallery, queries, { k: 7 }, openHost);
  for (let at = 0; at < 35; at++) expect(got.similarities[at]).toBeCloseTo(expected.similarities[at]!, 5);
  // Neighbours that are closer than single precision tells may change places.
  const common = Array.from(got.indices).filter((index, at) => {
    const query = Math.floor(at / 7);
    return expected.indices.slice(query * 7, query * 7 + 7).includes(index);
  });
  expect(common.length).toBeGreaterThan(30);
});
