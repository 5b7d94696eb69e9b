/**
 * Eigenvalues of a symmetric matrix in doubles, without eigenvectors: Householder reduction to tridiagonal form, then implicit QL.
 * Some 4/3 n^3 operations: 256 x 256 takes tens of milliseconds.
 *
 * @param matrix row-major [size, size]; only the lower triangle is read
 * @returns unordered
 */
export function symmetricEigenvalues(matrix: ArrayLike<number>, size: number): Float64Array {
  const { diagonal, subdiagonal } = tridiagonalise(Float64Array.from(matrix), size);
  return tridiagonalEigenvalues(diagonal, subdiagonal);
}

/** A = Q T Q^T by one reflection per column, from the last row up; `a` is used up. */
function tridiagonalise(a: Float64Array, n: number): { diagonal: Float64Array; subdiagonal: Float64Array } {
  const diagonal = new Float64Array(n);
  /** Element i stands left of the diagonal in row i. */
  const subdiagonal = new Float64Array(n);
  const p = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    const row = a.subarray(i * n, i * n + i);
    diagonal[i] = a[i * n + i]!;
    let scale = 0;
    for (const element of row) scale += Math.abs(element);
    if (i === 1 || scale === 0) {
      subdiagonal[i] = row[i - 1]!;
      continue;
    }
    // v = x + sign(x_last) |x| e_last, scaled; the reflection I - v v^T / h takes the row to its last element.
    let h = 0;
    for (let k = 0; k < i; k++) {
      row[k]! /= scale;
      h += row[k]! ** 2;
    }
    const last = row[i - 1]!;
    const reflected = last >= 0 ? -Math.sqrt(h) : Math.sqrt(h);
    subdiagonal[i] = scale * reflected;
    h -= last * reflected;
    row[i - 1] = last - reflected;
    // p = A v / h, then A <- A - v q^T - q v^T with q = p - (v.p / 2h) v.
    p.fill(0, 0, i);
    for (let j = 0; j < i; j++) {
      const vj = row[j]!;
      let sum = a[j * n + j]! * vj;
      for (let k = 0; k < j; k++) {
        sum += a[j * n + k]! * row[k]!;
        p[k]! += a[j * n + k]! * vj;
      }
      p[j]! += sum;
    }
    let vp = 0;
    for (let j = 0; j < i; j++) {
      p[j]! /= h;
      vp += row[j]! * p[j]!;
    }
    const half = vp / (2 * h);
    for (let j = 0; j < i; j++) p[j]! -= half * row[j]!;
    for (let j = 0; j < i; j++) {
      for (let k = 0; k <= j; k++) a[j * n + k]! -= row[j]! * p[k]! + p[j]! * row[k]!;
    }
  }
  if (n > 0) diagonal[0] = a[0]!;
  return { diagonal, subdiagonal };
}

/** Implicit QL with Wilkinson's shift; both arrays are used up. */
function tridiagonalEigenvalues(d: Float64Array, subdiagonal: Float64Array): Float64Array {
  const n = d.length;
  const e = new Float64Array(n);
  e.set(subdiagonal.subarray(1));
  for (let l = 0; l < n; l++) {
    for (let iteration = 0; ; iteration++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m++;
      if (m === l) break;
      if (iteration === 60) throw new Error('internal: symmetricEigenvalues: no convergence after 60 sweeps.');
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
      let r = Math.hypot(g, 1);
      g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
      let sine = 1;
      let cosine = 1;
      let p = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const f = sine * e[i]!;
        const b = cosine * e[i]!;
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1]! -= p;
          e[m] = 0;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = d[i + 1]! - p;
        r = (d[i]! - g) * sine + 2 * cosine * b;
        p = sine * r;
        d[i + 1] = g + p;
        g = cosine * r - b;
      }
      if (r === 0 && i >= l) continue;
      d[l]! -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  return d;
}
