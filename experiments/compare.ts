/** What differs between runs, in what they were told and in what came out. */
import type { RunSummary } from '../protocol/panelMessages.ts';
import type { MetricInfo } from '../protocol/metrics.ts';
import { knownMetric, metricCatalogue } from '../protocol/metrics.ts';
import type { JsonScalar } from '../protocol/records.ts';

/** One configuration key; `values` follows the order of the runs, undefined where a run has no such key. */
export interface ConfigDifference {
  key: string;
  values: (JsonScalar | undefined)[];
  /** Which runs differ from the base. */
  differs: boolean[];
}

/** The keys on which the runs do not all agree, sorted; `base` is a position among the runs. */
export function differingKeys(runs: readonly Pick<RunSummary, 'config'>[], base: number): ConfigDifference[] {
  const keys = new Set(runs.flatMap((run) => Object.keys(run.config)));
  const rows: ConfigDifference[] = [];
  for (const key of [...keys].sort()) {
    const values = runs.map((run) => (Object.hasOwn(run.config, key) ? run.config[key] : undefined));
    if (values.every((value) => Object.is(value, values[0]))) continue;
    rows.push({ key, values, differs: values.map((value) => !Object.is(value, values[base])) });
  }
  return rows;
}

/** `best` takes the best value of a run where the metric has a direction, else the last; `last` always the last. */
export type ValueChoice = 'best' | 'last';

export interface MetricRow {
  metric: string;
  better: MetricInfo['better'];
  /** Follows the order of the runs; undefined where a run has not logged it, NaN where it diverged. */
  values: (number | undefined)[];
  /** Steps of the values, undefined where the last is meant. */
  steps: (number | undefined)[];
  /** Which runs hold the best value; none where the metric has no direction or fewer than two runs have it. */
  best: boolean[];
}

/** Metrics of runs side by side, in the order of the catalogue, unknown ones after it. */
export function metricRows(runs: readonly Pick<RunSummary, 'last' | 'best'>[], pick: ValueChoice): MetricRow[] {
  const known = Object.keys(metricCatalogue);
  const logged = new Set(runs.flatMap((run) => Object.keys(run.last)));
  const metrics = [
    ...known.filter((name) => logged.has(name)),
    ...[...logged].filter((n) => !known.includes(n)).sort(),
  ];
  return metrics.map((metric) => {
    const better = metricInfo(metric).better;
    const points = runs.map((run) => pointOf(run, metric, pick));
    const values = points.map((point) => point?.value);
    return { metric, better, values, steps: points.map((point) => point?.step), best: bestOf(values, better) };
  });
}

/** What the catalogue says of a metric; a metric it does not know is labelled by its name. */
export function metricInfo(metric: string): MetricInfo {
  return knownMetric(metric) ?? { label: metric, unit: '', description: 'Logged by the trainer.', better: null };
}

/** Which of the values are best; ties are all best, and a single value is not. */
export function bestOf(values: readonly (number | undefined)[], better: MetricInfo['better']): boolean[] {
  const finite = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  if (better === null || finite.length < 2) return values.map(() => false);
  const best = better === 'higher' ? Math.max(...finite) : Math.min(...finite);
  return values.map((value) => value === best);
}

function pointOf(
  run: Pick<RunSummary, 'last' | 'best'>,
  metric: string,
  pick: ValueChoice,
): { value: number; step: number | undefined } | undefined {
  const best = pick === 'best' ? run.best[metric] : undefined;
  if (best) return best;
  const last = run.last[metric];
  return last === undefined ? undefined : { value: last, step: undefined };
}
