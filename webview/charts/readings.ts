/** The values under the crosshair, from full data: what is read off is never a decimated point's neighbour. */
import { nearest } from '../../experiments/decimate.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import type { ChartBoard } from './chartBoard.ts';
import type { ChartSpec, LineSpec } from './chartSpecs.ts';
import { smoothingOf } from './plotLines.ts';

export interface Reading {
  run: RunSummary;
  runIndex: number;
  spec: LineSpec;
  x: number;
  step: number;
  /** The line that is drawn: the average where there is one. */
  value: number;
  raw: number;
  /** Where the line is: of an area that stands on others, their sum. */
  y: number;
}

/** Nearest points to x in every line of a chart; to the end of the lines when x is null. */
export function readings(board: ChartBoard, spec: ChartSpec, x: number | null): Reading[] {
  return board.shown.value.flatMap((run) =>
    spec.lines.flatMap((line): Reading[] => {
      const curve = board.store.curve(run.id, line.metric);
      if (!curve || curve.length === 0) return [];
      const edge = (line.drawn && board.store.curve(run.id, line.drawn)) || curve;
      const column = curve.x(board.axis.value, board.store.clock(run));
      const at = x === null ? curve.length - 1 : nearest(column, x);
      const smoothing = smoothingOf(line, curve, board.beta.value);
      return [
        {
          run,
          runIndex: board.indexOf(run.id),
          spec: line,
          x: column[at]!,
          step: curve.step[at]!,
          value: curve.drawn(smoothing).values[at]!,
          raw: curve.values[at]!,
          y: edge.drawn(smoothing).values[at]!,
        },
      ];
    }),
  );
}
