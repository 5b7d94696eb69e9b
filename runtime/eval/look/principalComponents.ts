import { symmetricEigenvalues } from '../symmetricEigenvalues.ts';

export interface FeatureTable {
  /** Row-major [rows, width]. */
  features: Float32Array;
  rows: number;
  width: number;
}

/**
 * Projections of centred rows on their first principal components, by subspace iteration on the covariance. A component's sign makes its
 * largest loading positive.
 *
 * @returns row-major [rows, components]
 */
export function principalComponents(table: FeatureTable, components: number): Float32Array {
  const { features, rows, width } = table;
  const { mean, covariance } = moments(table);
  let basis = Array.from({ length: components }, (_, index) =>
    Float64Array.from({ length: width }, (_unused, at) => Math.sin(1 + index + 1.3 * at * (index + 1))),
  );
  for (let iteration = 0; iteration < 80; iteration++) {
    basis = basis.map((vector) => product(covariance, vector));
    orthonormalise(basis);
  }
  for (const vector of basis) {
    const largest = vector.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    if (largest < 0) vector.forEach((value, at) => (vector[at] = -value));
  }
  const projected = new Float32Array(rows * components);
  for (let row = 0; row < rows; row++)
    basis.forEach((vector, index) => {
      let sum = 0;
      for (let at = 0; at < width; at++) sum += (features[row * width + at]! - mean[at]!) * vector[at]!;
      projected[row * components + index] = sum;
    });
  return projected;
}

/** Eigenvalues of the covariance of rows, largest first; none below 0. */
export function covarianceSpectrum(table: FeatureTable): Float64Array {
  const { covariance } = moments(table);
  const values = symmetricEigenvalues(
    covariance.flatMap((row) => [...row]),
    table.width,
  );
  return values.map((value) => Math.max(0, value)).sort((a, b) => b - a);
}

function moments({ features, rows, width }: FeatureTable): { mean: Float64Array; covariance: Float64Array[] } {
  const mean = new Float64Array(width);
  for (let at = 0; at < rows * width; at++) mean[at % width]! += features[at]! / rows;
  const covariance = Array.from({ length: width }, () => new Float64Array(width));
  const centred = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < width; at++) centred[at] = features[row * width + at]! - mean[at]!;
    for (let a = 0; a < width; a++) {
      const share = centred[a]! / rows;
      const into = covariance[a]!;
      for (let b = 0; b < width; b++) into[b]! += share * centred[b]!;
    }
  }
  return { mean, covariance };
}

function product(matrix: readonly Float64Array[], vector: Float64Array): Float64Array<ArrayBuffer> {
  return Float64Array.from(matrix, (row) => row.reduce((sum, value, at) => sum + value * vector[at]!, 0));
}

/** Gram and Schmidt, in place; what is left of a vector that depends on the earlier ones is zero. */
function orthonormalise(vectors: readonly Float64Array[]): void {
  vectors.forEach((vector, index) => {
    for (const earlier of vectors.slice(0, index)) {
      const share = vector.reduce((sum, value, at) => sum + value * earlier[at]!, 0);
      vector.forEach((value, at) => (vector[at] = value - share * earlier[at]!));
    }
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    vector.forEach((value, at) => (vector[at] = length > 1e-300 ? value / length : 0));
  });
}
