/**
 * Curves that are not logged but follow from what is: the weighed terms of the loss, what they leave of it, and sums of them for
 * areas that stand on each other.
 */
import { lossTerms, type LossTerm, type LossTerms } from '../../experiments/lossTerms.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import { Curve } from './curve.ts';

/** `loss:distance` is the distance's term; `loss:rest` what the terms leave of the loss. */
const termPrefix = 'loss:';
const sumPrefix = 'sum:';
/** A curve where it is above zero, and zero elsewhere; and the other way round. */
const sidePrefixes = { above: 'above:', below: 'below:' };
export const restOfLoss = `${termPrefix}rest`;

export const termOf = (metric: string): string => termPrefix + metric;
export const sumOf = (metrics: readonly string[]): string => sumPrefix + metrics.join('+');

export const sideOf = (side: keyof typeof sidePrefixes, metric: string): string => sidePrefixes[side] + metric;

export function isDerived(metric: string): boolean {
  return [termPrefix, sumPrefix, ...Object.values(sidePrefixes)].some((prefix) => metric.startsWith(prefix));
}

/** Of the objective's terms, those that the run has logged; undefined where nothing can be told of it. */
export function loggedTerms(
  { config }: Pick<RunSummary, 'config'>,
  logged: (metric: string) => boolean,
): LossTerms | undefined {
  const objective = lossTerms(config);
  if (!objective || !logged('loss')) return undefined;
  const terms = objective.terms.filter(({ metric, times }) => logged(metric) && (times === undefined || logged(times)));
  return terms.length === 0 ? undefined : { ...objective, terms };
}

/** @param curveOf other curves of the run, derived ones included */
export function deriveCurve(
  run: Pick<RunSummary, 'id' | 'config'>,
  metric: string,
  curveOf: (metric: string) => Curve | undefined,
): Curve | undefined {
  const terms = (): LossTerm[] => loggedTerms(run, (name) => curveOf(name) !== undefined)?.terms ?? [];
  if (metric.startsWith(sumPrefix)) {
    const parts = metric.slice(sumPrefix.length).split('+');
    return combined(
      run.id,
      metric,
      parts.map((part) => ({ curve: curveOf(part), factor: 1 })),
    );
  }
  if (metric.startsWith(sidePrefixes.above))
    return mapped(run.id, metric, curveOf(metric.slice(sidePrefixes.above.length)), (value) => Math.max(0, value));
  if (metric.startsWith(sidePrefixes.below))
    return mapped(run.id, metric, curveOf(metric.slice(sidePrefixes.below.length)), (value) => Math.min(0, value));
  if (metric === restOfLoss) {
    const parts = terms().map((term) => ({ curve: curveOf(termOf(term.metric)), factor: -1 }));
    return combined(run.id, metric, [{ curve: curveOf('loss'), factor: 1 }, ...parts]);
  }
  const term = terms().find((one) => termOf(one.metric) === metric);
  if (!term) return undefined;
  const factor = { curve: curveOf(term.metric), factor: term.weight };
  return combined(run.id, metric, [{ ...factor, ...(term.times ? { times: curveOf(term.times) } : {}) }]);
}

interface Part {
  curve: Curve | undefined;
  factor: number;
  /** A curve that holds its last value until the next. */
  times?: Curve | undefined;
}

function mapped(
  runId: string,
  metric: string,
  curve: Curve | undefined,
  change: (value: number) => number,
): Curve | undefined {
  if (!curve) return undefined;
  const { step, epoch, time } = curve;
  const made = new Curve(runId, metric);
  made.take({ runId, metric, from: 0, step, epoch, time, value: curve.values.map(change) });
  return made;
}

/** Sum at the steps of the first part; NaN at a step that another one lacks. */
function combined(runId: string, metric: string, parts: readonly Part[]): Curve | undefined {
  const [first] = parts;
  if (!first?.curve || parts.some(({ curve }) => !curve)) return undefined;
  const { step, epoch, time } = first.curve;
  const value = new Float64Array(step.length);
  for (const { curve, factor, times } of parts) {
    let at = 0;
    let heldAt = 0;
    const columns = { step: curve!.step, values: curve!.values };
    for (let i = 0; i < step.length; i++) {
      const now = step[i]!;
      while (at < columns.step.length && columns.step[at]! < now) at++;
      let part = columns.step[at] === now ? factor * columns.values[at]! : Number.NaN;
      if (times) {
        while (heldAt + 1 < times.length && times.step[heldAt + 1]! <= now) heldAt++;
        part *= times.values[heldAt] ?? Number.NaN;
      }
      value[i]! += part;
    }
  }
  const sum = new Curve(runId, metric);
  sum.take({ runId, metric, from: 0, step, epoch, time, value });
  return sum;
}
