import fc from 'fast-check';
import { expect, it } from 'vitest';
import { knnAccuracy, knnVotes } from '../../../runtime/eval/knn.ts';
import { buildNeighbourProgram, nearestNeighbours, searchInBlocks } from '../../../runtime/eval/nearestNeighbours.ts';
import type { FeatureRows } from '../../../runtime/eval/nearestNeighbours.ts';
import { createOnnxEngine } from '../../../runtime/engines/onnx/onnxEngine.ts';

function rowsOf(rows: number, width: number, seed: number): FeatureRows {
  const features = Float32Array.from({ length: rows * width }, (_, at) => Math.sin(seed + 12.9898 * at * (at + 1)));
  return { features, rows, width };
}

it('finds what sorting all cosines finds', () => {
  fc.assert(
    fc.property(
      fc.record({
        gallery: fc.integer({ min: 5, max: 40 }),
        queries: fc.integer({ min: 1, max: 9 }),
        width: fc.integer({ min: 1, max: 9 }),
        k: fc.integer({ min: 1, max: 5 }),
        // sin(0) would make a row of zeros, which has no cosine.
        seed: fc.integer({ min: 1, max: 1000 }),
      }),
      (size) => {
        const gallery = rowsOf(size.gallery, size.width, size.seed);
        const queries = rowsOf(size.queries, size.width, size.seed + 0.5);
        const { indices, similarities } = nearestNeighbours(gallery, queries, { k: size.k });
        for (let query = 0; query < size.queries; query++) {
          const cosines = Array.from({ length: size.gallery }, (_, row) => cosine(gallery, row, queries, query));
          const best = [...cosines].sort((a, b) => b - a).slice(0, size.k);
          best.forEach((expected, rank) => {
            const at = query * size.k + rank;
            expect(similarities[at]).toBeCloseTo(expected, 5);
            expect(cosines[indices[at]!]).toBeCloseTo(expected, 5);
          });
        }
      },
    ),
  );
});

it('gives the same neighbours through the engine, whatever the block', async () => {
  const gallery = rowsOf(200, 16, 1);
  const queries = rowsOf(45, 16, 2);
  const plain = nearestNeighbours(gallery, queries, { k: 10 });
  const engine = createOnnxEngine({ threads: 1 });
  for (const blockRows of [45, 16, 64]) {
    const program = buildNeighbourProgram({ gallery: 200, queries: blockRows, width: 16, k: 10 });
    const step = await engine.compile(program);
    const state = engine.createState(program.state, { gallery: gallery.features });
    const found = await searchInBlocks(queries, (inputs) => step.run(state, inputs), { k: 10, blockRows });
    expect(found.indices).toEqual(plain.indices);
  }
});

it('weighs votes by similarity, and puts the lower class first of equal ones', () => {
  const neighbours = {
    k: 3,
    indices: Int32Array.of(0, 1, 2),
    similarities: Float32Array.of(0.9, 0.5, 0.5),
  };
  const labels = [2, 1, 1];
  const options = { k: 3, temperature: 0.1, classes: 3 };
  expect(knnAccuracy(neighbours, labels, [2], options).top1).toBe(1);
  // At a high temperature the two weaker neighbours outvote the strong one.
  expect(knnAccuracy(neighbours, labels, [1], { ...options, temperature: 10 }).top1).toBe(1);
  const equal = { ...neighbours, similarities: Float32Array.of(0.5, 0.5, 0.5), indices: Int32Array.of(0, 1, 1) };
  expect(Array.from(knnAccuracy(equal, [1, 0], [1], { ...options, k: 2 }).predictions)).toEqual([0]);
});

it('does not overflow at a small temperature', () => {
  const neighbours = { k: 2, indices: Int32Array.of(0, 1), similarities: Float32Array.of(1, 0.9) };
  const votes = knnVotes(neighbours, [0, 1], { k: 2, temperature: 1e-4, classes: 2 });
  expect(votes[0]).toBe(1);
  expect(votes[1]).toBe(0);
});

it('counts the best min(5, k) classes as top-5', () => {
  const neighbours = {
    k: 6,
    indices: Int32Array.of(0, 1, 2, 3, 4, 5),
    similarities: Float32Array.of(0.9, 0.8, 0.7, 0.6, 0.5, 0.4),
  };
  const labels = [0, 1, 2, 3, 4, 5];
  const options = { temperature: 1, classes: 6 };
  expect(knnAccuracy(neighbours, labels, [4], { ...options, k: 6 }).top5).toBe(1);
  expect(knnAccuracy(neighbours, labels, [5], { ...options, k: 6 }).top5).toBe(0);
  expect(knnAccuracy(neighbours, labels, [2], { ...options, k: 2 }).top5).toBe(0);
});

it('refuses more votes than were searched', () => {
  const neighbours = { k: 1, indices: Int32Array.of(0), similarities: Float32Array.of(1) };
  expect(() => knnVotes(neighbours, [0], { k: 2, temperature: 1, classes: 1 })).toThrow(
    'internal: knn: 2 neighbours were to vote, but 1 were searched.',
  );
});

function cosine(a: FeatureRows, row: number, b: FeatureRows, other: number): number {
  const x = a.features.subarray(row * a.width, (row + 1) * a.width);
  const y = b.features.subarray(other * b.width, (other + 1) * b.width);
  const dot = x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  return dot / Math.hypot(...x) / Math.hypot(...y);
}
