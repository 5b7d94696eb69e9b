import type { FeatureRows } from './nearestNeighbours.ts';
import { symmetricEigenvalues } from './symmetricEigenvalues.ts';

/**
 * Effective rank of features: `exp(-sum p ln p)` of the eigenvalues of their (uncentred) second-moment matrix, normalised to
 * sum 1. It is 1 when all rows are one direction (collapse), and min(rows, width) when they are spread evenly.
 */
export function effectiveRank({ features, rows, width }: FeatureRows): number {
  const size = Math.min(rows, width);
  const eigenvalues = symmetricEigenvalues(
    rows < width ? gramOfRows(features, rows, width) : gramOfColumns(features, rows, width),
    size,
  );
  const positive = eigenvalues.map((value) => Math.max(value, 0));
  const total = positive.reduce((sum, value) => sum + value, 0);
  if (!(total > 0)) return 0;
  const entropy = positive.reduce(
    (sum, value) => (value > 0 ? sum - (value / total) * Math.log(value / total) : sum),
    0,
  );
  return Math.exp(entropy);
}

/** Z Z^T, lower triangle: the smaller of two matrices with the same non-zero eigenvalues. */
function gramOfRows(features: Float32Array, rows: number, width: number): Float64Array {
  const gram = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += features[i * width + k]! * features[j * width + k]!;
      gram[i * rows + j] = sum;
    }
  }
  return gram;
}

/** Z^T Z, lower triangle. */
function gramOfColumns(features: Float32Array, rows: number, width: number): Float64Array {
  const gram = new Float64Array(width * width);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    for (let i = 0; i < width; i++) {
      const value = features[start + i]!;
      for (let j = 0; j <= i; j++) gram[i * width + j]! += value * features[start + j]!;
    }
  }
  return gram;
}
