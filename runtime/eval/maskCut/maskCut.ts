/**
 * MaskCut: masks of objects without a label, from how alike the keys of patches are (TokenCut's normalised cut, repeated as in CutLER).
 */
import { secondEigenvector } from './secondEigenvector.ts';

export interface PatchGrid {
  rows: number;
  columns: number;
}

export interface MaskCutOptions {
  /** Patches are joined where their cosine is above this. */
  tau: number;
  /** Cuts at most. */
  masks: number;
}

/** Weight of patches that are not joined: the graph stays connected. */
export const looseWeight = 1e-5;
/** A later mask is refused when it overlaps the one before by more, or covers no more of the picture. */
const largestOverlap = 0.5;
const smallestShare = 0.01;

export interface CutMasks {
  /** One per cut, in raster order; without a patch where the cut was refused. */
  masks: Uint8Array[];
  /** The eigenvector of each cut, turned so that the object is positive. */
  eigenvectors: Float64Array[];
  /** The patch of each cut that its object was grown from. */
  seeds: number[];
}

/**
 * Cuts objects out one after another; patches of found ones are taken out of the graph.
 *
 * @param cosine_PP cosines between the patches' keys, row-major
 */
export function maskCut(cosine_PP: Float32Array, grid: PatchGrid, { tau, masks: count }: MaskCutOptions): CutMasks {
  const patches = grid.rows * grid.columns;
  const found: CutMasks = { masks: [], eigenvectors: [], seeds: [] };
  const painted = new Uint8Array(patches);
  let previous: Uint8Array | undefined;
  for (let cut = 0; cut < count; cut++) {
    previous?.forEach((inside, patch) => (painted[patch]! |= inside));
    const eigenvector = secondEigenvector({ nodes: patches, joined_NN: joined(cosine_PP, painted, tau), looseWeight });
    const { seed, foreground } = orient(eigenvector, grid);
    const mask = componentOf(foreground, seed, grid);
    const size = mask.reduce((sum, inside) => sum + inside, 0);
    if (previous && (overlap(previous, mask) > largestOverlap || size / patches <= smallestShare)) mask.fill(0);
    previous = mask;
    const own = mask.map((inside, patch) => (found.masks.some((earlier) => earlier[patch] === 1) ? 0 : inside));
    found.masks.push(own);
    found.eigenvectors.push(eigenvector);
    found.seeds.push(seed);
  }
  return found;
}

/** Which patches are joined; one that was taken out has no features, hence cosine 0. */
function joined(cosine_PP: Float32Array, painted: Uint8Array, tau: number): Uint8Array {
  const patches = painted.length;
  const joinsWithout = 0 > tau;
  return Uint8Array.from(cosine_PP, (cosine, at) => {
    const isOut = painted[at % patches] === 1 || painted[Math.floor(at / patches)] === 1;
    return (isOut ? joinsWithout : cosine > tau) ? 1 : 0;
  });
}

/**
 * Which side of the cut is the object: not the one with three corners or more, else the one with the most extreme value. Unlike the
 * published code this asks both sides about their corners, so that it does not depend on the eigenvector's sign, which is arbitrary.
 * The eigenvector is turned in place.
 */
function orient(eigenvector: Float64Array, { rows, columns }: PatchGrid): { seed: number; foreground: Uint8Array } {
  const mean = eigenvector.reduce((sum, value) => sum + value, 0) / eigenvector.length;
  const foreground = Uint8Array.from(eigenvector, (value) => (value > mean ? 1 : 0));
  const corners = [0, columns - 1, (rows - 1) * columns, rows * columns - 1];
  const cornersInside = corners.reduce((sum, corner) => sum + foreground[corner]!, 0);
  const mostExtreme = firstOfLargest(eigenvector.map(Math.abs));
  const isTurned = cornersInside >= 3 || (cornersInside > 1 && foreground[mostExtreme] === 0);
  if (!isTurned) return { seed: firstOfLargest(eigenvector), foreground };
  eigenvector.forEach((value, patch) => (eigenvector[patch] = -value));
  return { seed: firstOfLargest(eigenvector), foreground: foreground.map((inside) => 1 - inside) };
}

/** The first of the largest values; what differs by rounding alone is equal. */
function firstOfLargest(values: Float64Array): number {
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return values.findIndex((value) => value >= most - 1e-9 * Math.abs(most));
}

/** The patches of the foreground that are reached from the seed by sides; none where the seed lies outside. */
export function componentOf(foreground: Uint8Array, seed: number, { rows, columns }: PatchGrid): Uint8Array {
  const inside = new Uint8Array(foreground.length);
  const open = foreground[seed] === 1 ? [seed] : [];
  while (open.length > 0) {
    const patch = open.pop()!;
    if (inside[patch] === 1) continue;
    inside[patch] = 1;
    const [row, column] = [Math.floor(patch / columns), patch % columns];
    const neighbours = [
      ...(row > 0 ? [patch - columns] : []),
      ...(row < rows - 1 ? [patch + columns] : []),
      ...(column > 0 ? [patch - 1] : []),
      ...(column < columns - 1 ? [patch + 1] : []),
    ];
    for (const next of neighbours) if (foreground[next] === 1 && inside[next] === 0) open.push(next);
  }
  return inside;
}

/** Intersection over union; 0 of two empty masks. */
export function overlap(a: Uint8Array, b: Uint8Array): number {
  let [both, either] = [0, 0];
  for (let at = 0; at < a.length; at++) {
    if (a[at] || b[at]) either++;
    if (a[at] && b[at]) both++;
  }
  return either === 0 ? 0 : both / either;
}
