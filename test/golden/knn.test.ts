import { expect, it } from 'vitest';
import { knnAccuracy, knnVotes } from '../../runtime/eval/knn.ts';
import { buildNeighbourProgram, nearestNeighbours, searchInBlocks } from '../../runtime/eval/nearestNeighbours.ts';
import type { FeatureRows, Neighbours } from '../../runtime/eval/nearestNeighbours.ts';
import { expectClose } from './compare.ts';
import type { ReferenceTensor } from './compare.ts';
import { engine } from './compute.ts';
import { golden } from './reference.ts';

interface ResultOfK {
  predictions: ReferenceTensor;
  top1: number;
  top5: number;
}
interface Case {
  temperature: number;
  num_classes: number;
  ks: number[];
  train_raw: ReferenceTensor;
  train_labels: ReferenceTensor;
  test_raw: ReferenceTensor;
  test_labels: ReferenceTensor;
  f64: Record<string, ResultOfK> & {
    dinov2_probas: Record<string, ReferenceTensor>;
    dinov2_predictions: Record<string, ReferenceTensor>;
  };
}

const rowsOf = ({ shape, data }: ReferenceTensor): FeatureRows => ({
  features: Float32Array.from(data),
  rows: shape[0]!,
  width: shape[1]!,
});

async function throughEngine(gallery: FeatureRows, queries: FeatureRows, k: number): Promise<Neighbours> {
  // A block that does not divide the queries.
  const blockRows = 7;
  const program = buildNeighbourProgram({ gallery: gallery.rows, queries: blockRows, width: gallery.width, k });
  const step = await engine.compile(program);
  const state = engine.createState(program.state, { gallery: gallery.features });
  return searchInBlocks(queries, (inputs) => step.run(state, inputs), { k, blockRows });
}

golden<{ cases: Case[] }>('knn', ({ cases }) => {
  for (const c of cases) {
    for (const search of ['plain arrays', 'engine'] as const) {
      it(`temperature ${c.temperature}, ${search}, float32`, async () => {
        const [gallery, queries] = [rowsOf(c.train_raw), rowsOf(c.test_raw)];
        const deepest = Math.max(...c.ks);
        const neighbours =
          search === 'engine'
            ? await throughEngine(gallery, queries, deepest)
            : nearestNeighbours(gallery, queries, { k: deepest });
        for (const k of c.ks) {
          const options = { k, temperature: c.temperature, classes: c.num_classes };
          const { predictions, top1 } = knnAccuracy(neighbours, c.train_labels.data, c.test_labels.data, options);
          const expected = c.f64[`k${k}`]!;
          expect(Array.from(predictions), `k ${k}`).toEqual(expected.predictions.data);
          expect(Array.from(predictions), `k ${k}, v2`).toEqual(c.f64.dinov2_predictions[`k${k}`]!.data);
          expect(100 * top1).toBeCloseTo(expected.top1, 10);
          const votes = knnVotes(neighbours, c.train_labels.data, { ...options, voting: 'v2' });
          // Similarities are single precision; a temperature of 0.07 multiplies their error by 14.
          expectClose(`votes, k ${k}`, votes, c.f64.dinov2_probas[`k${k}`]!, { rtol: 1e-4, atol: 1e-6 });
        }
      });
    }
  }
});
