/**
 * Labels of a video's first frame carried through it by the likeness of patches (DINO's protocol for DAVIS): every patch takes the labels
 * of the most alike patches of the first frame and of the last few, within a window around its own place.
 */
import type { PatchGrid } from '../maskCut/maskCut.ts';

export interface PropagationOptions {
  /** Frames before the current one that are looked at, besides the first. */
  lastFrames: number;
  /** Patches to each side of a place that are looked at. */
  windowPatches: number;
  /** Sources that a patch takes labels from. */
  topK: number;
  temperature: number;
}

/** DINO's. */
export const davisPropagation: PropagationOptions = { lastFrames: 7, windowPatches: 12, topK: 5, temperature: 0.1 };

/** Soft labels of one frame: a share of each class at each patch, row-major [classes, patches]. */
export type SoftLabels = Float64Array;

/** Patch features of one frame, row-major [patches, width]. */
export type FrameFeatures = ArrayLike<number>;

/** Cosines of all patches of a frame with all of another: [query patches, source patches]. */
export type FrameCosines = (
  query: FrameFeatures,
  source: FrameFeatures,
) => Promise<ArrayLike<number>> | ArrayLike<number>;

/**
 * Carries labels from the first frame to the others.
 *
 * @param features of every frame, in order
 * @returns soft labels of every frame, the first one's included
 */
export async function* propagateLabels(
  features: AsyncIterable<FrameFeatures> | Iterable<FrameFeatures>,
  first: SoftLabels,
  { grid, classes, cosines }: { grid: PatchGrid; classes: number; cosines: FrameCosines },
  options: PropagationOptions = davisPropagation,
): AsyncGenerator<SoftLabels, void, undefined> {
  interface Frame {
    features: FrameFeatures;
    labels: SoftLabels;
  }
  let start: Frame | undefined;
  const last: Frame[] = [];
  for await (const query of features) {
    if (!start) {
      start = { features: query, labels: first };
      yield first;
      continue;
    }
    const context = [start, ...last];
    const similar: ArrayLike<number>[] = [];
    for (const source of context) similar.push(await cosines(query, source.features));
    const labels = carried(
      similar,
      context.map((source) => source.labels),
      { grid, classes },
      options,
    );
    last.push({ features: query, labels });
    if (last.length > options.lastFrames) last.shift();
    yield labels;
  }
}

/**
 * One frame's labels. The affinity is exp(cosine / temperature) within the window and 0 outside; of it each patch keeps the largest over
 * all frames of the context (equals of the smallest kept stay), as shares of their sum.
 */
function carried(
  similar: readonly ArrayLike<number>[],
  labels: readonly SoftLabels[],
  { grid, classes }: { grid: PatchGrid; classes: number },
  { windowPatches, topK, temperature }: PropagationOptions,
): SoftLabels {
  const { rows, columns } = grid;
  const patches = rows * columns;
  const result = new Float64Array(classes * patches);
  for (let query = 0; query < patches; query++) {
    const [row, column] = [Math.floor(query / columns), query % columns];
    const candidates: { frame: number; patch: number; affinity: number }[] = [];
    for (const [frame, cosine] of similar.entries()) {
      for (let r = Math.max(0, row - windowPatches); r <= Math.min(rows - 1, row + windowPatches); r++) {
        for (let c = Math.max(0, column - windowPatches); c <= Math.min(columns - 1, column + windowPatches); c++) {
          const patch = r * columns + c;
          candidates.push({ frame, patch, affinity: Math.exp(cosine[query * patches + patch]! / temperature) });
        }
      }
    }
    const ordered = Float64Array.from(candidates, ({ affinity }) => affinity).sort();
    const threshold = ordered[Math.max(0, ordered.length - topK)]!;
    const kept = candidates.filter(({ affinity }) => affinity >= threshold);
    const total = kept.reduce((sum, { affinity }) => sum + affinity, 0);
    for (const { frame, patch, affinity } of kept)
      for (let label = 0; label < classes; label++)
        result[label * patches + query]! += (labels[frame]![label * patches + patch]! * affinity) / total;
  }
  return result;
}

/** Soft labels of the first frame: 1 for the class of a patch's nearest pixel. */
export function labelsOfGrid(classes_P: ArrayLike<number>, classes: number): SoftLabels {
  const patches = classes_P.length;
  const labels = new Float64Array(classes * patches);
  for (let patch = 0; patch < patches; patch++) labels[classes_P[patch]! * patches + patch] = 1;
  return labels;
}

/**
 * Classes of pixels: soft labels enlarged bilinearly by the patch's side, each class's map stretched to [0, 1], the largest one wins
 * (of equal ones the lower).
 *
 * @returns row-major [rows x patchPx, columns x patchPx]
 */
export function pixelClasses(labels: SoftLabels, { rows, columns }: PatchGrid, patchPx: number): Uint8Array {
  const patches = rows * columns;
  const classes = labels.length / patches;
  const [height, width] = [rows * patchPx, columns * patchPx];
  const best = new Float64Array(height * width).fill(-Infinity);
  const winner = new Uint8Array(height * width);
  const rowTaps = enlargingTaps(rows, patchPx);
  const columnTaps = enlargingTaps(columns, patchPx);
  for (let label = 0; label < classes; label++) {
    const map = new Float64Array(height * width);
    const at = (row: number, column: number) => labels[label * patches + row * columns + column]!;
    for (let y = 0; y < height; y++) {
      const v = rowTaps[y]!;
      for (let x = 0; x < width; x++) {
        const h = columnTaps[x]!;
        const upper = at(v.first, h.first) * (1 - h.share) + at(v.first, h.second) * h.share;
        const lower = at(v.second, h.first) * (1 - h.share) + at(v.second, h.second) * h.share;
        map[y * width + x] = upper * (1 - v.share) + lower * v.share;
      }
    }
    let [least, most] = [Infinity, -Infinity];
    for (const value of map) {
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const stretched =
      most > 0 && most > least ? (value: number) => (value - least) / (most - least) : (value: number) => value;
    map.forEach((raw, pixel) => {
      const value = stretched(raw);
      if (value > best[pixel]!) {
        best[pixel] = value;
        winner[pixel] = label;
      }
    });
  }
  return winner;
}

/** Bilinear enlargement with half-pixel centres, clamped at the borders. */
function enlargingTaps(size: number, factor: number): { first: number; second: number; share: number }[] {
  return Array.from({ length: size * factor }, (_, target) => {
    const source = Math.max(0, (target + 0.5) / factor - 0.5);
    const first = Math.floor(source);
    return { first, second: Math.min(size - 1, first + 1), share: source - first };
  });
}

/** Cosines in plain arrays. */
export function cosinesOfWidth(width: number): FrameCosines {
  return (query, source) => {
    const unit = (features: FrameFeatures) => {
      const rows = Float64Array.from(features);
      for (let start = 0; start < rows.length; start += width) {
        const row = rows.subarray(start, start + width);
        const length = Math.max(1e-12, Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)));
        row.forEach((value, at) => (row[at] = value / length));
      }
      return rows;
    };
    const [a, b] = [unit(query), unit(source)];
    const [queries, sources] = [a.length / width, b.length / width];
    const result = new Float64Array(queries * sources);
    for (let q = 0; q < queries; q++)
      for (let s = 0; s < sources; s++) {
        let sum = 0;
        for (let at = 0; at < width; at++) sum += a[q * width + at]! * b[s * width + at]!;
        result[q * sources + s] = sum;
      }
    return result;
  };
}
