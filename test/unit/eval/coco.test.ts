import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  cocoFigures,
  evaluateCoco,
  type CocoAnnotation,
  type CocoDetection,
} from '../../../runtime/eval/coco/cocoEvaluator.ts';
import {
  commonArea,
  countsToText,
  decodeMask,
  encodeMask,
  maskArea,
  maskBox,
  textToCounts,
  type Box,
} from '../../../runtime/eval/coco/runLengths.ts';

interface Scene {
  annotations: {
    image_id: number;
    category_id: number;
    area: number;
    iscrowd: number;
    bbox: Box;
    segmentation: { counts: string };
  }[];
  detections: { image_id: number; category_id: number; score: number; bbox: Box; segmentation: { counts: string } }[];
  figures: Record<string, number[]>;
}

/** Drawn ellipses, and what pycocotools 2.0.8 says of them. */
const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, 'cocoScenes.json'), 'utf8')) as { cases: Scene[] };
const maskOf = ({ counts }: { counts: string }) => ({ height: 160, width: 200, counts: textToCounts(counts) });

describe('the twelve figures are those of pycocotools', () => {
  for (const [index, scene] of cases.entries()) {
    const annotations = scene.annotations.map((one): CocoAnnotation => ({
      image: one.image_id,
      category: one.category_id,
      area: one.area,
      isCrowd: one.iscrowd === 1,
      box: one.bbox,
      mask: maskOf(one.segmentation),
    }));
    const detections = scene.detections.map((one): CocoDetection => ({
      image: one.image_id,
      category: one.category_id,
      score: one.score,
      box: one.bbox,
      mask: maskOf(one.segmentation),
    }));
    for (const [name, expected] of Object.entries(scene.figures)) {
      test(`scene ${index}, ${name}`, () => {
        const kind = name.startsWith('bbox') ? 'box' : 'mask';
        const figures = evaluateCoco(annotations, detections, { kind, useCategories: name.endsWith('1') });
        cocoFigures.forEach((figure, at) => expect(figures[figure], figure).toBeCloseTo(expected[at]!, 12));
      });
    }
  }
});

describe('by hand', () => {
  const box = (x: number, width: number): Box => [x, 0, width, 100];
  const annotation = (image: number, x: number, isCrowd = false): CocoAnnotation => ({
    image,
    category: 1,
    area: 100 * 100,
    isCrowd,
    box: box(x, 100),
  });
  const detection = (image: number, x: number, score: number): CocoDetection => ({
    image,
    category: 1,
    score,
    box: box(x, 100),
  });
  const evaluate = (truth: CocoAnnotation[], found: CocoDetection[]) =>
    evaluateCoco(truth, found, { kind: 'box', useCategories: true });

  test('one object that is found exactly', () => {
    expect(evaluate([annotation(1, 0)], [detection(1, 0, 0.9)])).toMatchObject({
      AP: expect.closeTo(1, 12) as number,
      AR1: 1,
      APlarge: expect.closeTo(1, 12) as number,
      APsmall: -1,
    });
  });
  test('an overlap of 0.6 counts at three of ten thresholds', () => {
    // 75 of 125.
    const { AP, AP50, AP75 } = evaluate([annotation(1, 0)], [detection(1, 25, 0.9)]);
    expect([AP, AP50, AP75]).toEqual([expect.closeTo(0.3), expect.closeTo(1, 12), 0]);
  });
  test('a wrong detection above the right one halves precision, below it costs nothing', () => {
    const wrong = (score: number) => [detection(1, 500, score), detection(1, 0, 0.5)];
    expect(evaluate([annotation(1, 0)], wrong(0.9)).AP).toBeCloseTo(0.5);
    expect(evaluate([annotation(1, 0)], wrong(0.1)).AP).toBeCloseTo(1);
  });
  test('a second detection of the same object is wrong; on a crowd it counts for nothing', () => {
    const twice = [detection(1, 0, 0.9), detection(1, 0, 0.8), detection(2, 0, 0.7)];
    const both = [annotation(1, 0), annotation(2, 0)];
    expect(evaluate(both, twice).AP50).toBeCloseTo((51 + (50 * 2) / 3) / 101, 10);
    const besideCrowd = [annotation(1, 0), annotation(1, 0, true), annotation(2, 0)];
    expect(evaluate(besideCrowd, twice).AP50).toBeCloseTo(1, 10);
  });
  test('nothing found, and nothing to find', () => {
    expect(evaluate([annotation(1, 0)], []).AP).toBe(0);
    expect(evaluate([], [detection(1, 0, 0.5)]).AP).toBe(-1);
  });
});

describe('run lengths', () => {
  test('come back from masks and from text', () => {
    const mask = Uint8Array.from({ length: 35 }, (_, at) => ((at * 7) % 5 < 2 ? 1 : 0));
    const lengths = encodeMask(mask, 5, 7);
    expect(decodeMask(lengths)).toEqual(mask);
    expect(textToCounts(countsToText(lengths.counts))).toEqual(lengths.counts);
    expect(maskArea(lengths)).toBe(mask.reduce((a, b) => a + b));
    expect(commonArea(lengths, lengths)).toBe(maskArea(lengths));
    for (const { segmentation } of cases[2]!.annotations)
      expect(countsToText(textToCounts(segmentation.counts))).toBe(segmentation.counts);
  });
  test('know their box, and refuse to reach beyond the mask', () => {
    const mask = new Uint8Array(30);
    for (const at of [8, 9, 14]) mask[at] = 1;
    expect(maskBox(encodeMask(mask, 5, 6))).toEqual([2, 1, 2, 2]);
    expect(maskBox(encodeMask(new Uint8Array(30), 5, 6))).toEqual([0, 0, 0, 0]);
    expect(() => decodeMask({ height: 2, width: 2, counts: [1, 9] })).toThrow(/10 pixels in a mask of 4/);
    expect(() => textToCounts('~~~~~~~~~~~')).toThrow(/no text of COCO/);
  });
});
