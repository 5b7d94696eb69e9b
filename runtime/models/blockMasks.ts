/**
 * iBOT's block masks: which patches of a global view are hidden from the student.
 *
 * The draws come from outside, so that masks are a function of (seed, step).
 */

/** What masks draw from; a `RandomStream` is one. */
export interface MaskDraws {
  /** In [low, high), or (high, low] if they are in that order. */
  uniform: (low: number, high: number) => number;
  /** In [0, end). */
  integer: (end: number) => number;
}

export interface MaskGrid {
  rows: number;
  columns: number;
}

export interface BatchMaskOptions extends MaskGrid {
  /** Images, all global views counted. */
  images: number;
  /** Share of them that are masked; 0.5. */
  maskedShare: number;
  /** Range of the share of patches that is hidden in a masked image; [0.1, 0.5]. */
  ratio: readonly [number, number];
}

/**
 * Masks of a batch. Exactly `int(images x maskedShare)` images are masked; the range of ratios is cut into as many equal parts and each
 * image draws its ratio from its own part, so that every batch has masks of all sizes.
 *
 * @param order a permutation of the images: place i of the result is what was drawn as number order[i]
 * @returns the numbers of the hidden patches of each image, ascending; empty for an image that is not masked
 */
export function batchMasks(options: BatchMaskOptions, draws: MaskDraws, order: ArrayLike<number>): number[][] {
  const { images, rows, columns } = options;
  const parts = ratioParts(options);
  const drawn = Array.from({ length: images }, (_, index) => {
    const part = parts[index];
    if (!part) return [];
    const target = Math.trunc(rows * columns * draws.uniform(part[0], part[1]));
    return blockMask(target, options, draws);
  });
  return Array.from({ length: images }, (_, index) => drawn[order[index]!]!);
}

/** The most patches that a mask of the batch can hide: the places that a step provides for each image. */
export function mostMaskedPatches({
  rows,
  columns,
  ratio,
}: Pick<BatchMaskOptions, 'rows' | 'columns' | 'ratio'>): number {
  return Math.trunc(rows * columns * ratio[1]);
}

/** Parts of the range of ratios, in single precision as in the authors' code. */
function ratioParts({ images, maskedShare, ratio }: BatchMaskOptions): [number, number][] {
  const masked = Math.trunc(images * maskedShare);
  const edge = (index: number) => Math.fround(ratio[0] + ((ratio[1] - ratio[0]) * index) / masked);
  return Array.from({ length: masked }, (_, index) => [edge(index), edge(index + 1)]);
}

const fewestPatches = 4;
const aspect = 0.3;
const tries = 10;

/**
 * Hides `target` patches of a grid in rectangles: each has an area of 4 patches up to what is missing and a log-uniform aspect ratio
 * within [0.3, 1/0.3], and is taken if it hides something new and not more than is missing. Ends early when ten tries in a row fail;
 * so some 10 % of masks hide a few patches less than asked for.
 *
 * @returns the numbers of the hidden patches in raster order, ascending
 */
export function blockMask(target: number, { rows, columns }: MaskGrid, draws: MaskDraws): number[] {
  const hidden = new Uint8Array(rows * columns);
  const most = Math.trunc(0.5 * rows * columns);
  let count = 0;
  while (count < target) {
    const added = addBlock(hidden, Math.min(target - count, most), { rows, columns }, draws);
    if (added === 0) break;
    count += added;
  }
  return [...hidden.keys()].filter((patch) => hidden[patch] === 1);
}

/** Hides one rectangle of at most `cap` new patches; 0 if none fits. */
function addBlock(hidden: Uint8Array, cap: number, { rows, columns }: MaskGrid, draws: MaskDraws): number {
  for (let attempt = 0; attempt < tries; attempt++) {
    const area = draws.uniform(fewestPatches, cap);
    const ratio = Math.exp(draws.uniform(Math.log(aspect), Math.log(1 / aspect)));
    const height = roundHalfToEven(Math.sqrt(area * ratio));
    const width = roundHalfToEven(Math.sqrt(area / ratio));
    if (width >= columns || height >= rows) continue;
    const top = draws.integer(rows - height + 1);
    const left = draws.integer(columns - width + 1);
    const patches = Array.from(
      { length: height * width },
      (_, at) => (top + Math.floor(at / width)) * columns + left + (at % width),
    );
    const fresh = patches.filter((patch) => hidden[patch] === 0);
    if (fresh.length === 0 || fresh.length > cap) continue;
    for (const patch of fresh) hidden[patch] = 1;
    return fresh.length;
  }
  return 0;
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
