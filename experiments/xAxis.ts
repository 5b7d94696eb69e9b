/** The three horizontal axes of a curve. */
import type { Series } from '../protocol/panelMessages.ts';

export const xAxes = ['step', 'epoch', 'time'] as const;
export type XAxis = (typeof xAxes)[number];

type Columns = Pick<Series, 'step' | 'epoch' | 'time'>;

/** Time between the last line of one attempt and the first of the next: not training. */
export interface Pause {
  endMs: number;
  lengthMs: number;
}

/**
 * The column to draw over, ascending. `time` becomes seconds of training: time since `startMs` less the pauses before
 * it; where the clock jumped back it stands still.
 */
export function xColumn(
  columns: Columns,
  axis: XAxis,
  clock: { startMs: number; pauses: readonly Pause[] },
): Float64Array {
  if (axis !== 'time') return ascending(columns[axis]);
  let paused = 0;
  let next = 0;
  const seconds = columns.time.map((time) => {
    while (next < clock.pauses.length && clock.pauses[next]!.endMs <= time) paused += clock.pauses[next++]!.lengthMs;
    return Math.max(0, (time - clock.startMs - paused) / 1000);
  });
  return ascending(seconds);
}

/** The pauses of a run, from its densest series and the steps at which later attempts took over. */
export function pausesOf({ step, time }: Pick<Columns, 'step' | 'time'>, resumedAtSteps: readonly number[]): Pause[] {
  const pauses: Pause[] = [];
  let resume = 0;
  for (let i = 1; i < step.length && resume < resumedAtSteps.length; i++) {
    if (step[i]! <= resumedAtSteps[resume]!) continue;
    while (resume < resumedAtSteps.length && resumedAtSteps[resume]! < step[i]!) resume++;
    pauses.push({ endMs: time[i]!, lengthMs: Math.max(0, time[i]! - time[i - 1]!) });
  }
  return pauses;
}

/** The column itself, or a copy in which a value below its predecessor is raised to it. */
function ascending(column: Float64Array): Float64Array {
  let sorted = true;
  for (let i = 1; i < column.length && sorted; i++) sorted = column[i]! >= column[i - 1]!;
  if (sorted) return column;
  const raised = column.slice();
  for (let i = 1; i < raised.length; i++) if (!(raised[i]! >= raised[i - 1]!)) raised[i] = raised[i - 1]!;
  return raised;
}
