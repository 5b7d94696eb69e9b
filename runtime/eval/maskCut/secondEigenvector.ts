/** A graph whose edges weigh 1 where two nodes are joined, and a little where they are not. */
export interface LooseGraph {
  nodes: number;
  /** Symmetric, row-major [nodes, nodes]: 1 where joined. */
  joined_NN: Uint8Array;
  looseWeight: number;
}

/**
 * The second smallest generalised eigenvector of `(D - W) x = lambda D x`, which cuts a graph in two (normalised cuts).
 *
 * With y = D^1/2 x this is the second largest eigenvector of `D^-1/2 W D^-1/2`, whose largest, D^1/2 1 with eigenvalue 1, is known and kept
 * out. Lanczos with full reorthogonalisation finds it from a few dozen products with W, in doubles: parts that are joined loosely have
 * eigenvalues that differ by the loose weight only.
 *
 * @returns x of unit length; its sign is arbitrary
 */
export function secondEigenvector({ nodes, joined_NN, looseWeight }: LooseGraph): Float64Array {
  const joinedTo = Array.from({ length: nodes }, (_, node) => {
    const others: number[] = [];
    for (let other = 0; other < nodes; other++) if (joined_NN[node * nodes + other]) others.push(other);
    return Int32Array.from(others);
  });
  /** W y. */
  const weighted = (y: Float64Array): Float64Array => {
    const total = y.reduce((sum, value) => sum + value, 0);
    return Float64Array.from(joinedTo, (others) => {
      let sum = 0;
      for (let at = 0; at < others.length; at++) sum += y[others[at]!]!;
      return looseWeight * total + (1 - looseWeight) * sum;
    });
  };
  const rootDegree = weighted(new Float64Array(nodes).fill(1)).map(Math.sqrt);
  const known = normalised(rootDegree);
  const product = (y: Float64Array): Float64Array =>
    weighted(y.map((value, at) => value / rootDegree[at]!)).map((value, at) => value / rootDegree[at]!);
  const y = largestEigenvector(product, nodes, known);
  return normalised(y.map((value, at) => value / rootDegree[at]!));
}

const residualTolerance = 1e-12;
/** Steps between looks at the result; restarts begin at the best vector so far. */
const stepsPerLook = 20;
const mostSteps = 160;
const mostRestarts = 8;

function largestEigenvector(
  product: (y: Float64Array) => Float64Array,
  size: number,
  deflated: Float64Array,
): Float64Array {
  let start = new Float64Array(size);
  // Any vector that no symmetry of a picture is orthogonal to.
  for (let at = 0; at < size; at++) start[at] = Math.sin(1 + 1.7 * at) + 0.3 * Math.cos(0.013 * at * at);
  for (let restart = 0; ; restart++) {
    const { vector, residual } = lanczos(product, start, deflated, Math.min(size - 1, mostSteps));
    if (residual < residualTolerance || restart === mostRestarts) return vector;
    start = vector;
  }
}

function lanczos(
  product: (y: Float64Array) => Float64Array,
  start: Float64Array,
  deflated: Float64Array,
  steps: number,
): { vector: Float64Array<ArrayBuffer>; residual: number } {
  orthogonalise(start, [deflated]);
  const basis: Float64Array[] = [normalised(start)];
  const diagonal: number[] = [];
  const offDiagonal: number[] = [];
  for (let step = 0; ; step++) {
    const next = product(basis[step]!);
    diagonal.push(dot(next, basis[step]!));
    // Twice is enough: rounding lets the deflated vector back in otherwise.
    orthogonalise(next, [deflated, ...basis]);
    orthogonalise(next, [deflated, ...basis]);
    const length = Math.sqrt(dot(next, next));
    const isLast = step + 1 >= steps || length < residualTolerance;
    if (isLast || (step + 1) % stepsPerLook === 0) {
      const weights = topOfTridiagonal(diagonal, offDiagonal);
      const residual = length * Math.abs(weights[step]!);
      if (isLast || residual < residualTolerance) {
        const vector = new Float64Array(start.length);
        weights.forEach((weight, index) => {
          for (let at = 0; at < vector.length; at++) vector[at]! += weight * basis[index]![at]!;
        });
        return { vector: normalised(vector), residual };
      }
    }
    offDiagonal.push(length);
    basis.push(next.map((value) => value / length));
  }
}

/** Unit eigenvector of the largest eigenvalue, by bisection with Sturm sequences and inverse iteration. */
function topOfTridiagonal(diagonal: readonly number[], offDiagonal: readonly number[]): Float64Array {
  const size = diagonal.length;
  const radius = (at: number) => Math.abs(offDiagonal[at - 1] ?? 0) + Math.abs(at < size - 1 ? offDiagonal[at]! : 0);
  let low = Math.min(...diagonal.map((value, at) => value - radius(at)));
  let high = Math.max(...diagonal.map((value, at) => value + radius(at)));
  const countAbove = (x: number) => {
    let count = 0;
    let pivot = 1;
    for (let at = 0; at < size; at++) {
      pivot = diagonal[at]! - x - (at === 0 ? 0 : offDiagonal[at - 1]! ** 2 / pivot);
      if (pivot === 0) pivot = Number.MIN_VALUE * 1e20;
      if (pivot > 0) count++;
    }
    return count;
  };
  for (let iteration = 0; iteration < 100 && high - low > 1e-16 * Math.max(1, Math.abs(high)); iteration++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (countAbove(middle) > 0) low = middle;
    else high = middle;
  }
  const shift = high + 1e-14;
  let vector = Float64Array.from(diagonal, (_, at) => 1 + 0.01 * Math.sin(at));
  for (let iteration = 0; iteration < 4; iteration++) vector = solved(diagonal, offDiagonal, shift, vector);
  return vector;
}

/** Solves (T - shift I) x = b for a shift above all eigenvalues, where elimination needs no pivoting; x is normalised. */
function solved(
  diagonal: readonly number[],
  offDiagonal: readonly number[],
  shift: number,
  b: Float64Array,
): Float64Array<ArrayBuffer> {
  const size = diagonal.length;
  const pivots = new Float64Array(size);
  const x = Float64Array.from(b);
  pivots[0] = diagonal[0]! - shift;
  for (let at = 1; at < size; at++) {
    const factor = offDiagonal[at - 1]! / (pivots[at - 1]! || -Number.EPSILON);
    pivots[at] = diagonal[at]! - shift - factor * offDiagonal[at - 1]!;
    x[at]! -= factor * x[at - 1]!;
  }
  for (let at = size - 1; at >= 0; at--) {
    if (at < size - 1) x[at]! -= offDiagonal[at]! * x[at + 1]!;
    x[at]! /= pivots[at]! || -Number.EPSILON;
  }
  return normalised(x);
}

function orthogonalise(vector: Float64Array, others: readonly Float64Array[]): void {
  for (const other of others) {
    const share = dot(vector, other);
    for (let at = 0; at < vector.length; at++) vector[at]! -= share * other[at]!;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}

function normalised(vector: Float64Array): Float64Array<ArrayBuffer> {
  const length = Math.sqrt(dot(vector, vector));
  return Float64Array.from(vector, (value) => value / length);
}
