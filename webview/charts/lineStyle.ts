import type { Theme } from '../theme.ts';
import type { ChartSpec, LineSpec } from './chartSpecs.ts';

/** Colour and dash of the n-th run: ten colours, then the same ones dashed, so that forty runs stay apart. */
export function lineStyle(index: number, theme: Theme): { colour: string; dash: number[] } {
  const colours = theme.lines;
  const round = Math.floor(index / colours.length);
  // High contrast themes reserve few colours: a dash distinguishes already within the first round.
  const dashes = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
  const dash = theme.highContrast ? dashes[(index + round) % dashes.length]! : dashes[round % dashes.length]!;
  return { colour: colours[index % colours.length]!, dash: [...dash] };
}

/** The colour of one line of a chart: by run where several are shown, else by its place among the chart's lines. */
export function lineColour(
  line: { spec: LineSpec; runIndex: number },
  spec: ChartSpec,
  options: { several: boolean; theme: Theme },
): string {
  const { several, theme } = options;
  if (several) return lineStyle(line.runIndex, theme).colour;
  if (line.spec.role === 'total') return theme.foreground;
  if (line.spec.role === 'bound') return theme.muted;
  return lineStyle(spec.lines.indexOf(line.spec), theme).colour;
}
