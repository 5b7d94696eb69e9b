/**
 * Messages to a panel travel as JSON with binary columns aside. JSON has no word for NaN and the infinities, which the last
 * values of a run that diverged are; on the way they are named.
 */
import type { GridData, RunSummary, ToPanelMessage } from './panelMessages.ts';

const named = new Map<unknown, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

/** What to hand to the editor in place of a message. */
export function toWire(message: ToPanelMessage): unknown {
  const name = (value: number): unknown => (Number.isFinite(value) ? value : String(value));
  return mapLastValues(message, name as (value: unknown) => unknown);
}

/** The inverse of `toWire`, of whatever came: it is validated afterwards. */
export function fromWire(value: unknown): unknown {
  return mapLastValues(value, (last) => named.get(last) ?? last);
}

function mapLastValues(message: unknown, map: (value: unknown) => unknown): unknown {
  const ofRun = (run: unknown): unknown => {
    const last = (run as Partial<RunSummary> | null)?.last;
    if (typeof last !== 'object' || last === null) return run;
    const mapped = Object.fromEntries(Object.entries(last).map(([metric, value]) => [metric, map(value)]));
    return { ...(run as RunSummary), last: mapped };
  };
  const { runs, rows, grid } = (message ?? {}) as { runs?: unknown; rows?: unknown; grid?: Partial<GridData> | null };
  if (Array.isArray(runs)) return { ...(message as object), runs: runs.map(ofRun) };
  if (Array.isArray(rows)) return { ...(message as object), rows: rows.map(ofRun) };
  if (grid && Array.isArray(grid.runs))
    return { ...(message as object), grid: { ...grid, runs: grid.runs.map(ofRun) } };
  return message;
}
