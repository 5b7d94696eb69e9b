/** Weighted k-NN classification, DINO's protocol: a neighbour votes for its class with exp(cosine / temperature). */
import type { Neighbours } from './nearestNeighbours.ts';

export interface KnnOptions {
  /** Neighbours that vote; at most as many as were searched. */
  k: number;
  temperature: number;
  classes: number;
  /**
   * What a vote weighs: `v1` (DINO) exp(cosine / temperature), here over the nearest’s, `v2` (DINOv2) its share among all neighbours
   * searched. Both elect the same
   * class; only the numbers differ. v1 unless told.
   */
  voting?: 'v1' | 'v2';
}

export interface KnnResult {
  k: number;
  /** Share of queries whose class won. */
  top1: number;
  /** Share of queries whose class was among the best min(5, k). */
  top5: number;
  predictions: Int32Array;
}

/** Accuracy of the votes of the k nearest. */
export function knnAccuracy(
  neighbours: Neighbours,
  galleryLabels: ArrayLike<number>,
  queryLabels: ArrayLike<number>,
  options: KnnOptions,
): KnnResult {
  const { k, classes } = options;
  const votes = knnVotes(neighbours, galleryLabels, options);
  const queries = queryLabels.length;
  const predictions = new Int32Array(queries);
  let first = 0;
  let among = 0;
  for (let query = 0; query < queries; query++) {
    const ofQuery = votes.subarray(query * classes, (query + 1) * classes);
    predictions[query] = largest(ofQuery);
    const rank = rankOf(queryLabels[query]!, ofQuery);
    if (rank === 0) first++;
    if (rank < Math.min(5, k)) among++;
  }
  return { k, top1: first / queries, top5: among / queries, predictions };
}

/** Sums of votes, row-major [queries, classes]. */
export function knnVotes(
  { k: searched, indices, similarities }: Neighbours,
  galleryLabels: ArrayLike<number>,
  { k, temperature, classes, voting = 'v1' }: KnnOptions,
): Float64Array {
  if (k > searched) throw new Error(`internal: knn: ${k} neighbours were to vote, but ${searched} were searched.`);
  const queries = indices.length / searched;
  const votes = new Float64Array(queries * classes);
  for (let query = 0; query < queries; query++) {
    const start = query * searched;
    // Relative to the nearest, so that a small temperature does not overflow.
    const weight = (at: number) => Math.exp((similarities[start + at]! - similarities[start]!) / temperature);
    let total = 1;
    if (voting === 'v2') {
      total = 0;
      for (let at = 0; at < searched; at++) total += weight(at);
    }
    for (let at = 0; at < k; at++) {
      votes[query * classes + galleryLabels[indices[start + at]!]!]! += weight(at) / total;
    }
  }
  return votes;
}

function largest(values: Float64Array): number {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! > values[best]!) best = at;
  return best;
}

/** Classes that come before this one; of equal ones the lower number does. */
function rankOf(label: number, votes: Float64Array): number {
  let before = 0;
  for (let other = 0; other < votes.length; other++) {
    if (votes[other]! > votes[label]! || (votes[other] === votes[label] && other < label)) before++;
  }
  return before;
}
