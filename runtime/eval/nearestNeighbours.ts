/**
 * The nearest rows of a gallery by cosine, for each row of some queries. Two ways with the same result: as a step of the engine, for
 * which a similarity table is one matrix product, and in plain arrays, for small sets and where there is no engine.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { StepProgram, TypedArray } from '../engines/engine.ts';
import { l2Normalise } from '../ops/l2Normalise.ts';
import type { OpenHost } from './programHost.ts';

/** Rows of features, row-major [rows, width]. */
export interface FeatureRows {
  features: Float32Array;
  rows: number;
  width: number;
}

/** Per query, nearest first, row-major [queries, k]. */
export interface Neighbours {
  k: number;
  /** Rows of the gallery. */
  indices: Int32Array;
  similarities: Float32Array;
}

/** Sizes of a search. */
export interface NeighbourSpec {
  /** Rows of the gallery. */
  gallery: number;
  /** Queries at a time. */
  queries: number;
  width: number;
  k: number;
}

/**
 * The search as a step: state `gallery` [gallery, width] and input `queries` [queries, width], neither necessarily normalised, to outputs
 * `indices` and `similarities` [queries, k]. The state `penalty` [gallery] is added to the similarities: it keeps filling rows away.
 */
export function buildNeighbourProgram({ gallery, queries, width, k }: NeighbourSpec): StepProgram {
  return {
    state: {
      gallery: { shape: [gallery, width], dtype: 'float32' },
      penalty: { shape: [gallery], dtype: 'float32' },
    },
    updates: [],
    inputs: { queries: { shape: [queries, width], dtype: 'float32' } },
    run: (state, inputs) => {
      const unit = (rows: tf.Tensor) => l2Normalise(rows as tf.Tensor2D, { epsilon: unitEpsilon });
      const similarities_QN = tf.matMul(unit(inputs['queries']!), unit(state['gallery']!), false, true);
      const { values, indices } = tf.topk(tf.add(similarities_QN, state['penalty']!), k);
      return { state: {}, outputs: { similarities: values, indices } };
    },
  };
}

/**
 * All queries through a compiled `buildNeighbourProgram`, block by block; the last block is filled up with zeros.
 *
 * @param runBlock runs the step on one block of `blockRows` queries
 */
export async function searchInBlocks(
  queries: FeatureRows,
  runBlock: (inputs: { queries: Float32Array }) => Promise<Readonly<Record<string, TypedArray>>>,
  { k, blockRows }: { k: number; blockRows: number },
): Promise<Neighbours> {
  const { rows, width, features } = queries;
  const found = emptyNeighbours(rows, k);
  for (let start = 0; start < rows; start += blockRows) {
    const count = Math.min(blockRows, rows - start);
    const block = new Float32Array(blockRows * width);
    block.set(features.subarray(start * width, (start + count) * width));
    const { indices, similarities } = await runBlock({ queries: block });
    found.indices.set((indices as Int32Array).subarray(0, count * k), start * k);
    found.similarities.set((similarities as Float32Array).subarray(0, count * k), start * k);
  }
  return found;
}

/** Rows of the gallery that are searched at a time: a similarity table of 128 queries then takes 32 MiB. */
const galleryRows = 65_536;
const queryRows = 128;

/**
 * All queries against a gallery of any size on an engine: the gallery goes through it in parts, and the nearest of each part compete.
 */
export async function searchOnEngine(
  gallery: FeatureRows,
  queries: FeatureRows,
  { k }: { k: number },
  openHost: OpenHost,
): Promise<Neighbours> {
  const { width } = gallery;
  const part = Math.min(galleryRows, gallery.rows);
  const perPart = Math.min(k, part);
  const spec: NeighbourSpec = { gallery: part, queries: Math.min(queryRows, queries.rows), width, k: perPart };
  const host = await openHost({ kind: 'neighbours', ...spec }, {});
  try {
    let nearest: Neighbours | undefined;
    for (let start = 0; start < gallery.rows; start += part) {
      const rows = Math.min(part, gallery.rows - start);
      const features = new Float32Array(part * width);
      features.set(gallery.features.subarray(start * width, (start + rows) * width));
      await host.writeState({ gallery: features, penalty: new Float32Array(part).fill(-4, rows) });
      const found = await searchInBlocks(queries, (inputs) => host.run('search', inputs), {
        k: perPart,
        blockRows: spec.queries,
      });
      for (let at = 0; at < found.indices.length; at++) found.indices[at]! += start;
      nearest = nearest ? nearestOfBoth(nearest, found, k) : found;
    }
    return nearest!;
  } finally {
    await host.close();
  }
}

/** Merges two sorted lists per query; of equal similarities those of the first come first. */
function nearestOfBoth(a: Neighbours, b: Neighbours, k: number): Neighbours {
  const queries = a.indices.length / a.k;
  const kept = Math.min(k, a.k + b.k);
  const merged = emptyNeighbours(queries, kept);
  for (let query = 0; query < queries; query++) {
    let [fromA, fromB] = [query * a.k, query * b.k];
    for (let at = query * kept; at < (query + 1) * kept; at++) {
      const takesA =
        fromB === (query + 1) * b.k || (fromA < (query + 1) * a.k && a.similarities[fromA]! >= b.similarities[fromB]!);
      const [source, place] = takesA ? [a, fromA++] : [b, fromB++];
      merged.indices[at] = source.indices[place]!;
      merged.similarities[at] = source.similarities[place]!;
    }
  }
  return merged;
}

/** The same in plain arrays: about a second for every two thousand queries against ten thousand rows of 128 features. */
export function nearestNeighbours(gallery: FeatureRows, queries: FeatureRows, { k }: { k: number }): Neighbours {
  return neighbourSearch(gallery)(queries, { k });
}

/** A search in one gallery, which is normalised once, for queries that come in parts. */
export function neighbourSearch(gallery: FeatureRows): (queries: FeatureRows, options: { k: number }) => Neighbours {
  const galleryUnit = unitRows(gallery, { multipleOf: tileRows });
  const perQuery = galleryUnit.length / gallery.width;
  const similarities = new Float32Array(tileQueries * perQuery);
  return (queries, { k }) => {
    const queryUnit = unitRows(queries, { multipleOf: tileQueries });
    const found = emptyNeighbours(queries.rows, k);
    for (let query = 0; query < queries.rows; query += tileQueries) {
      tileProducts(galleryUnit, queryUnit, query, gallery.width, similarities);
      for (let at = 0; at < tileQueries && query + at < queries.rows; at++) {
        const ofQuery = similarities.subarray(at * perQuery, at * perQuery + gallery.rows);
        keepLargest(ofQuery, found, query + at);
      }
    }
    return found;
  };
}

const unitEpsilon = 1e-12;

function emptyNeighbours(rows: number, k: number): Neighbours {
  return { k, indices: new Int32Array(rows * k), similarities: new Float32Array(rows * k).fill(-Infinity) };
}

/** Rows of unit length, filled up with rows of zeros. */
function unitRows({ features, rows, width }: FeatureRows, { multipleOf }: { multipleOf: number }): Float32Array {
  const unit = new Float32Array(Math.ceil(rows / multipleOf) * multipleOf * width);
  for (let start = 0; start < rows * width; start += width) {
    let square = 0;
    for (let at = start; at < start + width; at++) square += features[at]! ** 2;
    const scale = 1 / Math.max(Math.sqrt(square), unitEpsilon);
    for (let at = start; at < start + width; at++) unit[at] = features[at]! * scale;
  }
  return unit;
}

/** Queries and rows of the gallery that are multiplied at a time: eight sums that do not wait for each other, six loads for them. */
const tileQueries = 2;
const tileRows = 4;

/** Products of two queries with all rows: `out` is [2, rows]. */
function tileProducts(
  rows: Float32Array,
  queries: Float32Array,
  query: number,
  width: number,
  out: Float32Array,
): void {
  const count = out.length / tileQueries;
  const first = query * width;
  const second = first + width;
  for (let row = 0; row < count; row += tileRows) {
    const r0 = row * width;
    const r1 = r0 + width;
    const r2 = r1 + width;
    const r3 = r2 + width;
    let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let at = 0; at < width; at++) {
      const a = queries[first + at]!;
      const b = queries[second + at]!;
      a0 += a * rows[r0 + at]!;
      a1 += a * rows[r1 + at]!;
      a2 += a * rows[r2 + at]!;
      a3 += a * rows[r3 + at]!;
      b0 += b * rows[r0 + at]!;
      b1 += b * rows[r1 + at]!;
      b2 += b * rows[r2 + at]!;
      b3 += b * rows[r3 + at]!;
    }
    out[row] = a0;
    out[row + 1] = a1;
    out[row + 2] = a2;
    out[row + 3] = a3;
    out[count + row] = b0;
    out[count + row + 1] = b1;
    out[count + row + 2] = b2;
    out[count + row + 3] = b3;
  }
}

/** Insertion into a short sorted list: almost every element fails the first comparison. Of equal ones the earlier row is nearer. */
function keepLargest(values: Float32Array, { k, indices, similarities }: Neighbours, query: number): void {
  const first = query * k;
  const last = first + k - 1;
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (value <= similarities[last]!) continue;
    let at = last;
    while (at > first && similarities[at - 1]! < value) {
      similarities[at] = similarities[at - 1]!;
      indices[at] = indices[at - 1]!;
      at--;
    }
    similarities[at] = value;
    indices[at] = row;
  }
}
