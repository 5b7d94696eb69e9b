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

type Configured = Pick<RunSummary, 'config'>;

/** The keys, of those meant, on which the runs do not all agree, sorted; `base` is a position among the runs. */
export function differingKeys(
  runs: readonly Configured[],
  base: number,
  isMeant: (key: string) => boolean = () => true,
): ConfigDifference[] {
  const keys = new Set(runs.flatMap((run) => Object.keys(run.config).filter(isMeant)));
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
  /** Follows the order of the runs; undefined where a run has not logged it, NaN where it diverged. */
  values: (number | undefined)[];
}

/** Metrics of runs side by side, in the order of the catalogue, unknown ones after it. */
export function metricRows(runs: readonly Pick<RunSummary, 'last' | 'best'>[], pick: ValueChoice): MetricRow[] {
  const known = Object.keys(metricCatalogue);
  const logged = new Set(runs.flatMap((run) => Object.keys(run.last)));
  const metrics = [
    ...known.filter((name) => logged.has(name)),
    ...[...logged].filter((n) => !known.includes(n)).sort(),
  ];
  return metrics.map((metric) => ({
    metric,
    values: runs.map(({ last, best }) => (pick === 'best' ? best[metric]?.value : undefined) ?? last[metric]),
  }));
}

/** What the catalogue says of a metric; a metric it does not know is labelled by its name. */
export function metricInfo(metric: string): MetricInfo {
  return knownMetric(metric) ?? { label: metric, unit: '', description: 'Logged by the trainer.', better: null };
}

/**
 * Which way results of these runs are ranked by a metric; null also for what tells more of the machine and its load than of the run,
 * and for terms of objectives that are not the same.
 */
export function rankedBy(metric: string, runs: readonly Configured[]): MetricInfo['better'] {
  const { better, about } = metricInfo(metric);
  return about === 'machine' || !isComparable(metric, runs) ? null : better;
}

/** False for the loss and its terms where the runs do not minimise the same: a smaller loss is then no better result. */
export function isComparable(metric: string, runs: readonly Configured[]): boolean {
  return metricInfo(metric).about !== 'objective' || objectiveDifferences(runs).length === 0;
}

/**
 * Keys that the value of an objective follows from, whatever was learned: its kind, constants and weights, and - since gamma, the
 * coding rate and InfoNCE depend on them - how many features of how many dimensions it is computed of.
 */
const objectiveKeys =
  /^(method|train\.batchSize|projector\.outputDim|crops\.(global|local)\.count|masking\.(viewWeight|patchWeight)|(loss|dino|dinov2)\..+)$/;

/** The keys by which the objectives of runs differ. */
export function objectiveDifferences(runs: readonly Configured[]): string[] {
  return differingKeys(runs, 0, (key) => objectiveKeys.test(key)).map(({ key }) => key);
}

/**
 * Which of the values are best as a table shows them: all whose digits are the best one's, and none where the digits of all are the
 * same.
 */
export function bestShown(
  values: readonly (number | undefined)[],
  better: MetricInfo['better'],
  shown: (value: number) => string,
): boolean[] {
  const best = values[bestOf(values, better).indexOf(true)];
  const texts = values.map((value) => (value === undefined || !Number.isFinite(value) ? undefined : shown(value)));
  if (best === undefined || new Set(texts.filter((text) => text !== undefined)).size < 2)
    return values.map(() => false);
  return texts.map((text) => text === shown(best));
}

/** Which of the values are best; ties are all best, and a single value is not. */
export function bestOf(values: readonly (number | undefined)[], better: MetricInfo['better']): boolean[] {
  const finite = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  if (better === null || finite.length < 2) return values.map(() => false);
  const best = better === 'higher' ? Math.max(...finite) : Math.min(...finite);
  return values.map((value) => value === best);
}
