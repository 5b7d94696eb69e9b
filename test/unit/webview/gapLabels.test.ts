import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gapLabels } from '../../../webview/charts/gapLabels.ts';

const plot = { toPx: (x: number) => x, widthOf: (text: string) => 6 * text.length, plotPx: 400 };
const gap = (at: number, { nan = 1, infinite = 0 } = {}) => ({ from: at, to: at, nan, infinite, runIndex: 0 });

describe('labels of values that are not finite', () => {
  it('stand at their marks where there is room', () => {
    expect(gapLabels([gap(100), gap(200)], plot)).toEqual([
      { x: 100, text: 'NaN' },
      { x: 200, text: 'NaN' },
    ]);
  });

  it('are one that counts where they would overlap, also with the label that this one reaches', () => {
    expect(gapLabels([gap(110), gap(100), gap(300)], plot)).toEqual([
      { x: 105, text: '2 \u00d7 NaN' },
      { x: 300, text: 'NaN' },
    ]);
    expect(gapLabels([gap(97), gap(120), gap(130), gap(140)], plot)).toEqual([{ x: 118.5, text: '4 \u00d7 NaN' }]);
  });

  it('call infinity by its name', () => {
    expect(gapLabels([gap(100, { nan: 0, infinite: 1 })], plot)[0]!.text).toBe('\u221e');
    expect(gapLabels([gap(100, { nan: 3, infinite: 2 })], plot)[0]!.text).toBe('3 \u00d7 NaN, 2 \u00d7 \u221e');
  });

  it('never overlap, stay within the plot and count every value', () => {
    const gaps = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 20 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(gaps, (made) => {
        const labels = gapLabels(
          made.map(([at, nan]) => gap(at, { nan })),
          plot,
        );
        const ends = labels.map(({ x, text }) => [x - plot.widthOf(text) / 2, x + plot.widthOf(text) / 2] as const);
        for (const [i, [left, right]] of ends.entries()) {
          expect(left).toBeGreaterThanOrEqual(0);
          expect(right).toBeLessThanOrEqual(400);
          if (i > 0) expect(left).toBeGreaterThan(ends[i - 1]![1]);
        }
        const counted = labels.reduce((sum, { text }) => sum + (text === 'NaN' ? 1 : Number.parseInt(text, 10)), 0);
        expect(counted).toBe(made.reduce((sum, [, nan]) => sum + nan, 0));
      }),
    );
  });
});
