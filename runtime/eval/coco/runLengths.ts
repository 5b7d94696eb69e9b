/**
 * COCO's masks: run lengths of 0 and 1 in turn, column by column, beginning with 0; as text each length (from the third one on its
 * difference to the one before the last) in groups of five bits from the lowest, plus 48.
 */
export interface RunLengths {
  height: number;
  width: number;
  counts: number[];
}

/** @param mask row-major [height, width] */
export function encodeMask(mask: Uint8Array, height: number, width: number): RunLengths {
  const counts: number[] = [];
  let [value, length] = [0, 0];
  for (let at = 0; at < height * width; at++) {
    const pixel = mask[(at % height) * width + Math.floor(at / height)] ? 1 : 0;
    if (pixel !== value) {
      counts.push(length);
      [value, length] = [pixel, 0];
    }
    length++;
  }
  counts.push(length);
  return { height, width, counts };
}

/** Row-major bytes; lengths beyond the mask are an error of the file. */
export function decodeMask({ height, width, counts }: RunLengths): Uint8Array {
  const mask = new Uint8Array(height * width);
  let at = 0;
  counts.forEach((length, index) => {
    if (at + length > mask.length)
      throw new RangeError(`run lengths of ${at + length} pixels in a mask of ${mask.length}`);
    for (const end = at + length; at < end; at++)
      if (index % 2 === 1) mask[(at % height) * width + Math.floor(at / height)] = 1;
  });
  return mask;
}

export function countsToText(counts: readonly number[]): string {
  let text = '';
  counts.forEach((count, index) => {
    let rest = index > 2 ? count - counts[index - 2]! : count;
    for (let more = true; more;) {
      const bits = rest & 0x1f;
      rest >>= 5;
      more = bits & 0x10 ? rest !== -1 : rest !== 0;
      text += String.fromCharCode((more ? bits | 0x20 : bits) + 48);
    }
  });
  return text;
}

export function textToCounts(text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length;) {
    let [value, shift] = [0, 0];
    for (let more = true; more; shift += 5) {
      const bits = text.charCodeAt(at++) - 48;
      if (!(bits >= 0 && bits < 64) || shift > 30) throw new RangeError('run lengths that are no text of COCO');
      value |= (bits & 0x1f) << shift;
      more = (bits & 0x20) !== 0;
      if (!more && bits & 0x10 && shift < 25) value |= -1 << (shift + 5);
    }
    counts.push(counts.length > 2 ? value + counts[counts.length - 2]! : value);
  }
  return counts;
}

export function maskArea({ counts }: RunLengths): number {
  return counts.reduce((sum, count, index) => sum + (index % 2 === 1 ? count : 0), 0);
}

/** Pixels that two masks of one size have in common. */
export function commonArea(a: RunLengths, b: RunLengths): number {
  let [common, indexA, indexB] = [0, 0, 0];
  let [leftA, leftB] = [a.counts[0] ?? 0, b.counts[0] ?? 0];
  while (indexA < a.counts.length && indexB < b.counts.length) {
    const length = Math.min(leftA, leftB);
    if (indexA % 2 === 1 && indexB % 2 === 1) common += length;
    leftA -= length;
    leftB -= length;
    if (leftA === 0) leftA = a.counts[++indexA] ?? 0;
    if (leftB === 0) leftB = b.counts[++indexB] ?? 0;
  }
  return common;
}

export type Box = readonly [x: number, y: number, width: number, height: number];

/** The box around a mask; zeros for an empty one. */
export function maskBox({ height, counts }: RunLengths): Box {
  let [left, right, top, bottom] = [Infinity, -1, Infinity, -1];
  let at = 0;
  counts.forEach((length, index) => {
    if (index % 2 === 1 && length > 0) {
      const last = at + length - 1;
      const [firstColumn, lastColumn] = [Math.floor(at / height), Math.floor(last / height)];
      left = Math.min(left, firstColumn);
      right = Math.max(right, lastColumn);
      // A run that goes on in another column touches both ends of one.
      top = Math.min(top, firstColumn === lastColumn ? at % height : 0);
      bottom = Math.max(bottom, firstColumn === lastColumn ? last % height : height - 1);
    }
    at += length;
  });
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1];
}
