/**
 * Position embeddings for grids other than the trained one.
 *
 * A separable resize of an M x M grid is linear, so it is one constant matrix, computed here in doubles and applied in the graph as
 * one product: the gradient reaches the table for free and every engine gives the same numbers.
 */
import * as tf from '@tensorflow/tfjs-core';

export interface PositionInterpolation {
  /**
   * Added to the target's side before the scale factor is formed, (h + offset) / M. The authors' v1 tree (and DINO) use 0.1, a guard
   * against rounding that also shifts every sample point; their v2 tree uses 0. The two give different numbers.
   */
  offset: number;
  /** Low-pass filter when shrinking, as in the v2 tree; its cubic has a = -0.5 instead of -0.75. */
  antialias: boolean;
}

/**
 * Position embedding of a grid of `rows` x `columns` patches, bicubic where it is not the trained square.
 *
 * @param table_1ND the learned table, N = 1 + M^2, the CLS token first
 * @returns [1, 1 + rows * columns, D]
 */
export function positionEmbedding(
  table_1ND: tf.Tensor3D,
  { rows, columns, interpolation }: { rows: number; columns: number; interpolation: PositionInterpolation },
): tf.Tensor3D {
  const [, tokens, width] = table_1ND.shape;
  const side = Math.sqrt(tokens - 1);
  if (!Number.isInteger(side)) {
    throw new Error(
      `internal: positionEmbedding: the table must have 1 + M^2 tokens, got [${table_1ND.shape.join(',')}].`,
    );
  }
  if (rows === side && columns === side) return table_1ND;
  const cls_11D = tf.slice(table_1ND, [0, 0, 0], [1, 1, width]);
  const grid_MD = tf.reshape(tf.slice(table_1ND, [0, 1, 0], [1, side * side, width]), [side * side, width]);
  const resize_PM = tf.tensor2d(resizeMatrix({ side, rows, columns, interpolation }), [rows * columns, side * side]);
  const resized_1PD = tf.reshape(tf.matMul(resize_PM, grid_MD as tf.Tensor2D), [1, rows * columns, width]);
  return tf.concat([cls_11D, resized_1PD], 1) as tf.Tensor3D;
}

/** The resize of a `side` x `side` grid in raster order, row-major [rows * columns, side * side]. */
export function resizeMatrix({
  side,
  rows,
  columns,
  interpolation,
}: {
  side: number;
  rows: number;
  columns: number;
  interpolation: PositionInterpolation;
}): number[] {
  const vertical = axisWeights(side, rows, interpolation);
  const horizontal = axisWeights(side, columns, interpolation);
  return vertical.flatMap((ofRow) =>
    horizontal.flatMap((ofColumn) => ofRow.flatMap((v) => ofColumn.map((h) => v * h))),
  );
}

/** Weights of one axis: for each of `target` outputs, the share of each of `side` inputs. */
function axisWeights(side: number, target: number, { offset, antialias }: PositionInterpolation): number[][] {
  const scale = (target + offset) / side;
  return Array.from({ length: target }, (_, output) =>
    antialias ? antialiasedWeights(side, output, scale) : plainWeights(side, output, scale),
  );
}

/** Four taps around `(i + 0.5) / scale - 0.5`, clamped to the border; cubic with a = -0.75. */
function plainWeights(side: number, output: number, scale: number): number[] {
  const weights = new Array<number>(side).fill(0);
  const source = (output + 0.5) / scale - 0.5;
  const first = Math.floor(source);
  for (let tap = first - 1; tap <= first + 2; tap++) {
    const at = Math.min(side - 1, Math.max(0, tap));
    weights[at]! += cubic(source - tap, -0.75);
  }
  return weights;
}

/** Support widened by the shrinking factor, cut at the borders and normalised; cubic with a = -0.5. */
function antialiasedWeights(side: number, output: number, scale: number): number[] {
  const weights = new Array<number>(side).fill(0);
  const stretch = Math.max(1 / scale, 1);
  const centre = (output + 0.5) / scale;
  const first = Math.max(0, Math.trunc(centre - 2 * stretch + 0.5));
  const end = Math.min(side, Math.trunc(centre + 2 * stretch + 0.5));
  let total = 0;
  for (let tap = first; tap < end; tap++) {
    weights[tap] = cubic((tap - centre + 0.5) / stretch, -0.5);
    total += weights[tap]!;
  }
  return weights.map((weight) => weight / total);
}

/** Keys' cubic convolution kernel. */
function cubic(x: number, a: number): number {
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}
