/** J and F of DAVIS: how well masks agree in area and in outline, frame by frame, and what is said of a sequence. */

export interface FrameSize {
  height: number;
  width: number;
}

/** J, intersection over union; 1 where both masks are empty. */
export function regionSimilarity(annotated: Uint8Array, predicted: Uint8Array): number {
  let [both, either] = [0, 0];
  for (let at = 0; at < annotated.length; at++) {
    if (annotated[at] || predicted[at]) either++;
    if (annotated[at] && predicted[at]) both++;
  }
  return either === 0 ? 1 : both / either;
}

/** Largest distance of matching outlines, as a share of the frame's diagonal. */
const outlineShare = 0.008;

/**
 * F, the harmonic mean of precision and recall of outlines: an outline pixel counts where the other outline passes within a disk.
 * An outline that is missing on one side has precision 1 and recall 0, or the reverse; on both sides 1 and 1.
 *
 * @param radius of the disk in pixels; 0.008 of the diagonal, rounded up, unless told
 */
export function boundaryAccuracy(
  annotated: Uint8Array,
  predicted: Uint8Array,
  size: FrameSize,
  radius = Math.ceil(outlineShare * Math.hypot(size.height, size.width)),
): number {
  const ofTruth = outline(annotated, size);
  const ofPrediction = outline(predicted, size);
  const [truthPixels, predictionPixels] = [sum(ofTruth), sum(ofPrediction)];
  let precision: number;
  let recall: number;
  if (predictionPixels === 0 && truthPixels > 0) [precision, recall] = [1, 0];
  else if (predictionPixels > 0 && truthPixels === 0) [precision, recall] = [0, 1];
  else if (predictionPixels === 0 && truthPixels === 0) [precision, recall] = [1, 1];
  else {
    precision = common(ofPrediction, widened(ofTruth, size, radius)) / predictionPixels;
    recall = common(ofTruth, widened(ofPrediction, size, radius)) / truthPixels;
  }
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

/** Pixels that differ from their right, lower or lower right neighbour; of the last row and column, from the one that there is. */
export function outline(mask: Uint8Array, { height, width }: FrameSize): Uint8Array {
  const result = new Uint8Array(mask.length);
  const at = (y: number, x: number) => (mask[y * width + x] ? 1 : 0);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const own = at(y, x);
      const right = x + 1 < width && at(y, x + 1) !== own;
      const lower = y + 1 < height && at(y + 1, x) !== own;
      const corner = x + 1 < width && y + 1 < height && at(y + 1, x + 1) !== own;
      if (right || lower || corner) result[y * width + x] = 1;
    }
  }
  return result;
}

/** What is said of a sequence of values. */
export interface SequenceStatistics {
  mean: number;
  /** Share of values above one half. */
  recall: number;
  /** Mean of the first quarter minus mean of the last. */
  decay: number;
}

export function sequenceStatistics(values: readonly number[]): SequenceStatistics {
  const mean = (part: readonly number[]) => part.reduce((total, value) => total + value, 0) / part.length;
  // Four bins, whose borders are rounded after halves are lifted by a little, as the published evaluation has them.
  const borders = Array.from({ length: 5 }, (_, bin) => Math.round(1 + (bin * (values.length - 1)) / 4 + 1e-10) - 1);
  const bin = (index: number) => values.slice(borders[index], borders[index + 1]! + 1);
  return {
    mean: mean(values),
    recall: values.filter((value) => value > 0.5).length / values.length,
    decay: mean(bin(0)) - mean(bin(3)),
  };
}

function widened(mask: Uint8Array, { height, width }: FrameSize, radius: number): Uint8Array {
  const disk: [number, number][] = [];
  for (let dy = -radius; dy <= radius; dy++)
    for (let dx = -radius; dx <= radius; dx++) if (dx * dx + dy * dy <= radius * radius) disk.push([dy, dx]);
  const result = new Uint8Array(mask.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (!mask[y * width + x]) continue;
      for (const [dy, dx] of disk) {
        const [row, column] = [y + dy, x + dx];
        if (row >= 0 && row < height && column >= 0 && column < width) result[row * width + column] = 1;
      }
    }
  return result;
}

function sum(mask: Uint8Array): number {
  return mask.reduce((total, value) => total + value, 0);
}

function common(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((total, value, at) => total + (value && b[at] ? 1 : 0), 0);
}
