/**
 * Refines a mask by a dense conditional random field (Kraehenbuehl and Koltun): every pixel is connected to every other, more so the
 * nearer and the more alike in colour they are. Messages are passed by Gaussian filters on a permutohedral lattice.
 */
import type { Picture } from '../look/picture.ts';
import { permutohedralFilter, type LatticeFilter } from './permutohedral.ts';

export interface CrfOptions {
  iterations: number;
  /** Standard deviation and weight of the smoothing by place alone. */
  smoothPx: number;
  smoothWeight: number;
  /** Of the smoothing by place and colour. */
  alikePx: number;
  alikeColour: number;
  alikeWeight: number;
}

/** CutLER's. */
export const maskCutCrf: CrfOptions = {
  iterations: 10,
  smoothPx: 3,
  smoothWeight: 7,
  alikePx: 50,
  alikeColour: 5,
  alikeWeight: 10,
};

/**
 * Mean-field inference of two labels with Potts' compatibility and symmetrically normalised kernels; the unary term is that of
 * softmax([1 - mask, mask]).
 *
 * @param mask row-major, 1 inside
 * @returns 1 where the object is the likelier label
 */
export function denseCrf(picture: Picture, mask: Uint8Array, options: CrfOptions = maskCutCrf): Uint8Array {
  const { widthPx, heightPx, data } = picture;
  const pixels = widthPx * heightPx;
  const { iterations, smoothPx, smoothWeight, alikePx, alikeColour, alikeWeight } = options;
  const smooth = new Float32Array(pixels * 2);
  const alike = new Float32Array(pixels * 5);
  for (let at = 0; at < pixels; at++) {
    const [x, y] = [at % widthPx, Math.floor(at / widthPx)];
    smooth.set([x / smoothPx, y / smoothPx], at * 2);
    alike.set([x / alikePx, y / alikePx], at * 5);
    for (let channel = 0; channel < 3; channel++) alike[at * 5 + 2 + channel] = data[at * 3 + channel]! / alikeColour;
  }
  const kernels = [
    { weight: smoothWeight, filter: normalised(permutohedralFilter(smooth, 2), pixels) },
    { weight: alikeWeight, filter: normalised(permutohedralFilter(alike, 5), pixels) },
  ];
  // Energies: -log softmax; of two labels only their difference matters.
  const unary = Float32Array.from(mask, (inside) => (inside ? 1 : -1));
  const probability = Float32Array.from(unary, sigmoid);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const message = new Float32Array(pixels);
    // Labels' messages sum to that of all ones: one filter gives both.
    for (const { weight, filter } of kernels) {
      const { values, ones } = filter(probability);
      for (let at = 0; at < pixels; at++) message[at]! += weight * (2 * values[at]! - ones[at]!);
    }
    for (let at = 0; at < pixels; at++) probability[at] = sigmoid(unary[at]! + message[at]!);
  }
  return Uint8Array.from(probability, (value) => (value > 0.5 ? 1 : 0));
}

/** A kernel K as N K N with N = 1 / sqrt(K 1), and what that makes of ones. */
function normalised(filter: LatticeFilter, pixels: number) {
  const scale = filter(new Float32Array(pixels).fill(1)).map((sum) => 1 / Math.sqrt(sum + 1e-20));
  const apply = (values: Float32Array) =>
    filter(values.map((value, at) => value * scale[at]!)).map((v, at) => v * scale[at]!);
  const ones = apply(new Float32Array(pixels).fill(1));
  return (values: Float32Array) => ({ values: apply(values), ones });
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Background that the border can't be reached from becomes part of the object. */
export function holesFilled(
  mask: Uint8Array,
  { widthPx, heightPx }: { widthPx: number; heightPx: number },
): Uint8Array {
  const outside = new Uint8Array(mask.length);
  const open: number[] = [];
  const reach = (x: number, y: number) => {
    const at = y * widthPx + x;
    if (x < 0 || y < 0 || x >= widthPx || y >= heightPx || mask[at] || outside[at]) return;
    outside[at] = 1;
    open.push(at);
  };
  for (let x = 0; x < widthPx; x++) for (const y of [0, heightPx - 1]) reach(x, y);
  for (let y = 0; y < heightPx; y++) for (const x of [0, widthPx - 1]) reach(x, y);
  while (open.length > 0) {
    const at = open.pop()!;
    const [x, y] = [at % widthPx, Math.floor(at / widthPx)];
    reach(x - 1, y);
    reach(x + 1, y);
    reach(x, y - 1);
    reach(x, y + 1);
  }
  return outside.map((value) => 1 - value);
}
