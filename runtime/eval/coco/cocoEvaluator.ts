/**
 * COCO's twelve figures for boxes or masks: average precision over thresholds of overlap, at one half, at three quarters, and by size;
 * average recall at 1, 10 and 100 detections an image, and by size.
 *
 * Detections of an image are taken by score; each takes the annotation that it overlaps most of those that are free, real ones before
 * ignored ones (crowds, and those outside the range of sizes). A detection on an ignored annotation, or outside the range without a
 * match, counts for nothing. Precision at 101 recalls is the best at that recall or a higher one.
 */
import { commonArea, maskArea, type Box, type RunLengths } from './runLengths.ts';

export interface CocoAnnotation {
  image: number;
  category: number;
  area: number;
  isCrowd: boolean;
  box: Box;
  mask?: RunLengths;
}

export interface CocoDetection {
  image: number;
  category: number;
  score: number;
  box: Box;
  mask?: RunLengths;
  /** The mask's, or the box's, unless told. */
  area?: number;
}

export type OverlapKind = 'box' | 'mask';

export const cocoFigures = [
  'AP',
  'AP50',
  'AP75',
  'APsmall',
  'APmedium',
  'APlarge',
  'AR1',
  'AR10',
  'AR100',
  'ARsmall',
  'ARmedium',
  'ARlarge',
] as const;
export type CocoFigures = Record<(typeof cocoFigures)[number], number>;

// Rounded as the published evaluator's are: a recall of 0.28 is below its threshold 28.
const thresholds = Array.from({ length: 10 }, (_, index) => 0.5 + ((0.95 - 0.5) / 9) * index);
const recalls = Array.from({ length: 101 }, (_, index) => index * 0.01);
const sizes = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const;
type Size = keyof typeof sizes;
const mostDetections = 100;

export interface CocoOptions {
  kind: OverlapKind;
  /** Whether categories are told apart; class-agnostic evaluation counts all as one. */
  useCategories: boolean;
}

/** -1 stands for a figure that nothing can be said of, such as that of small objects where there are none. */
export function evaluateCoco(
  annotations: readonly CocoAnnotation[],
  detections: readonly CocoDetection[],
  { kind, useCategories }: CocoOptions,
): CocoFigures {
  const categoryOf = (item: { category: number }) => (useCategories ? item.category : -1);
  const images = [...new Set([...annotations, ...detections].map(({ image }) => image))].sort((a, b) => a - b);
  const categories = [...new Set(annotations.map(categoryOf))].sort((a, b) => a - b);
  const evaluated = new Map<Size, CategoryResult[]>();
  // Where categories are not told apart, those of lower number still come first among equal scores.
  const inOrder = <T extends { category: number }>(items: readonly T[]) =>
    [...items].sort((a, b) => a.category - b.category);
  const truths = grouped(inOrder(annotations), categoryOf);
  const found = grouped(inOrder(detections), categoryOf);
  for (const size of Object.keys(sizes) as Size[]) {
    evaluated.set(
      size,
      categories.map((category) =>
        images.map((image) => {
          const key = `${image}/${category}`;
          return evaluateImage(truths.get(key) ?? [], found.get(key) ?? [], size, kind);
        }),
      ),
    );
  }
  const precision = (size: Size, threshold?: number) =>
    mean(
      evaluated
        .get(size)!
        .flatMap((results) => thresholdsOf(threshold).flatMap((at) => precisions(results, at, mostDetections))),
    );
  const recall = (size: Size, most: number) =>
    mean(evaluated.get(size)!.flatMap((results) => thresholds.map((_, at) => lastRecall(results, at, most))));
  return {
    AP: precision('all'),
    AP50: precision('all', 0),
    AP75: precision('all', 5),
    APsmall: precision('small'),
    APmedium: precision('medium'),
    APlarge: precision('large'),
    AR1: recall('all', 1),
    AR10: recall('all', 10),
    AR100: recall('all', 100),
    ARsmall: recall('small', 100),
    ARmedium: recall('medium', 100),
    ARlarge: recall('large', 100),
  };
}

/** What became of the detections of one image and category. */
interface ImageResult {
  scores: number[];
  /** [threshold][detection] */
  matched: boolean[][];
  ignored: boolean[][];
  /** Annotations that count. */
  positives: number;
}
type CategoryResult = ImageResult[];

function evaluateImage(
  annotations: readonly CocoAnnotation[],
  allDetections: readonly CocoDetection[],
  size: Size,
  kind: OverlapKind,
): ImageResult {
  const [least, most] = sizes[size];
  const isOut = (area: number) => area < least || area > most;
  const truths = annotations
    .map((annotation) => ({ annotation, isIgnored: annotation.isCrowd || isOut(annotation.area) }))
    .sort((a, b) => Number(a.isIgnored) - Number(b.isIgnored));
  const detections = [...allDetections].sort((a, b) => b.score - a.score).slice(0, mostDetections);
  const overlaps = detections.map((detection) =>
    truths.map(({ annotation }) => overlapOf(detection, annotation, kind)),
  );
  const result: ImageResult = {
    scores: detections.map(({ score }) => score),
    matched: [],
    ignored: [],
    positives: truths.filter(({ isIgnored }) => !isIgnored).length,
  };
  for (const threshold of thresholds) {
    const taken = new Set<number>();
    const matched: boolean[] = [];
    const ignored: boolean[] = [];
    detections.forEach((detection, index) => {
      let best = Math.min(threshold, 1 - 1e-10);
      let match = -1;
      for (const [at, { annotation, isIgnored }] of truths.entries()) {
        if (taken.has(at) && !annotation.isCrowd) continue;
        // Ignored ones stand last: a real match is not given up for one of them.
        if (match >= 0 && !truths[match]!.isIgnored && isIgnored) break;
        const overlap = overlaps[index]![at]!;
        if (overlap < best) continue;
        best = overlap;
        match = at;
      }
      if (match >= 0) taken.add(match);
      matched.push(match >= 0);
      ignored.push(match >= 0 ? truths[match]!.isIgnored : isOut(areaOf(detection, kind)));
    });
    result.matched.push(matched);
    result.ignored.push(ignored);
  }
  return result;
}

/** Intersection over union; with a crowd, over the detection's own area. */
function overlapOf(detection: CocoDetection, { box, mask, isCrowd }: CocoAnnotation, kind: OverlapKind): number {
  if (kind === 'mask') {
    if (!detection.mask || !mask) return 0;
    const common = commonArea(detection.mask, mask);
    const own = maskArea(detection.mask);
    const either = isCrowd ? own : own + maskArea(mask) - common;
    return either === 0 ? 0 : common / either;
  }
  const [x, y, width, height] = detection.box;
  const w = Math.min(x + width, box[0] + box[2]) - Math.max(x, box[0]);
  const h = Math.min(y + height, box[1] + box[3]) - Math.max(y, box[1]);
  if (w <= 0 || h <= 0) return 0;
  const own = width * height;
  return (w * h) / (isCrowd ? own : own + box[2] * box[3] - w * h);
}

function areaOf({ area, box, mask }: CocoDetection, kind: OverlapKind): number {
  return area ?? (kind === 'mask' && mask ? maskArea(mask) : box[2] * box[3]);
}

/** Detections of all images by score, with what they counted for; equal scores keep the order of the images. */
function ranked(results: CategoryResult, threshold: number, most: number): { isRight: boolean }[] {
  return results
    .flatMap(({ scores, matched, ignored }) =>
      scores.slice(0, most).map((score, at) => ({
        score,
        isRight: matched[threshold]![at]!,
        isIgnored: ignored[threshold]![at]!,
      })),
    )
    .sort((a, b) => b.score - a.score)
    .filter(({ isIgnored }) => !isIgnored);
}

function positivesOf(results: CategoryResult): number {
  return results.reduce((sum, { positives }) => sum + positives, 0);
}

/** Precision at each of the 101 recalls; -1 where there is nothing to find. */
function precisions(results: CategoryResult, threshold: number, most: number): number[] {
  const positives = positivesOf(results);
  if (positives === 0) return recalls.map(() => -1);
  const curve: { recall: number; precision: number }[] = [];
  let [right, wrong] = [0, 0];
  for (const { isRight } of ranked(results, threshold, most)) {
    if (isRight) right++;
    else wrong++;
    curve.push({ recall: right / positives, precision: right / (right + wrong + Number.EPSILON) });
  }
  for (let at = curve.length - 2; at >= 0; at--)
    curve[at]!.precision = Math.max(curve[at]!.precision, curve[at + 1]!.precision);
  let at = 0;
  return recalls.map((recall) => {
    while (at < curve.length && curve[at]!.recall < recall) at++;
    return curve[at]?.precision ?? 0;
  });
}

function lastRecall(results: CategoryResult, threshold: number, most: number): number {
  const positives = positivesOf(results);
  if (positives === 0) return -1;
  return ranked(results, threshold, most).filter(({ isRight }) => isRight).length / positives;
}

function thresholdsOf(one: number | undefined): number[] {
  return one === undefined ? thresholds.map((_, index) => index) : [one];
}

function mean(values: readonly number[]): number {
  const known = values.filter((value) => value > -1);
  return known.length === 0 ? -1 : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function grouped<T extends { image: number }>(items: readonly T[], categoryOf: (item: T) => number): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = `${item.image}/${categoryOf(item)}`;
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
