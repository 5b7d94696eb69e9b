import type { Plot } from './plotLines.ts';

/** One label for the marks of values that are not finite, at `x` px from the left of the plot. */
export interface GapLabel {
  x: number;
  text: string;
}

/** Clear space between two labels, px. */
const clearPx = 4;

/**
 * The labels of gaps, none of which overlaps another: where they would, one label counts the values of all.
 *
 * `toPx` is the place of an x in the plot, `widthOf` the width of a label, both in px; a label stays within the plot.
 */
export function gapLabels(
  gaps: Plot['gaps'],
  { toPx, widthOf, plotPx }: { toPx: (x: number) => number; widthOf: (text: string) => number; plotPx: number },
): GapLabel[] {
  const placed: { nan: number; infinite: number; from: number; to: number; left: number; right: number }[] = [];
  const place = (group: Pick<(typeof placed)[number], 'nan' | 'infinite' | 'from' | 'to'>): (typeof placed)[number] => {
    const half = widthOf(gapText(group)) / 2;
    const centre = Math.min(plotPx - half, Math.max(half, (group.from + group.to) / 2));
    return { ...group, left: centre - half, right: centre + half };
  };
  const byPlace = gaps.map((gap) => ({ ...gap, from: toPx(gap.from), to: toPx(gap.to) }));
  byPlace.sort((a, b) => a.from - b.from);
  for (const gap of byPlace) {
    let label = place(gap);
    // A merged label is wider, and may reach the one before it.
    for (let last = placed.at(-1); last && last.right + clearPx > label.left; last = placed.at(-1)) {
      placed.pop();
      label = place({
        nan: last.nan + label.nan,
        infinite: last.infinite + label.infinite,
        from: last.from,
        to: Math.max(last.to, label.to),
      });
    }
    placed.push(label);
  }
  return placed.map((label) => ({ x: (label.left + label.right) / 2, text: gapText(label) }));
}

/** `NaN`, `3 x NaN`, `2 x Infinity`, both. */
function gapText({ nan, infinite }: { nan: number; infinite: number }): string {
  const times = (count: number, name: string): string => (count === 1 ? name : `${count} \u00d7 ${name}`);
  return [nan > 0 ? times(nan, 'NaN') : '', infinite > 0 ? times(infinite, '\u221e') : ''].filter(Boolean).join(', ');
}
