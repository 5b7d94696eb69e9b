/** What metrics are called beside each other: figures on other data by the end of its path that tells it from the others. */
import { dataOf, knownMetric, metricOn, withoutData } from '../protocol/metrics.ts';
import { metricInfo } from './compare.ts';

export interface MetricLabel {
  label: string;
  /** The label with the whole path, for a tooltip; absent where the label is whole. */
  title?: string;
}

/**
 * Names the metrics of one view. The data of a figure stand in its name by their absolute path; the label has the shortest end of it, in
 * whole folders, that no other data of the view end with.
 */
export function metricLabels(metrics: readonly string[]): (metric: string) => MetricLabel {
  const places = metrics.map(dataOf).filter((data) => data !== undefined);
  const ends = shortestEnds(places);
  return (metric) => {
    const { label } = metricInfo(metric);
    const data = dataOf(metric);
    const end = data === undefined ? undefined : ends.get(data);
    if (data === undefined || end === undefined || end === data || !knownMetric(metric)) return { label };
    return { label: metricOn(metricInfo(withoutData(metric)).label, end), title: label };
  };
}

/** Of each path its shortest end, in whole parts, that no other one has; the whole path where another one ends with it. */
function shortestEnds(paths: readonly string[]): Map<string, string> {
  const distinct = [...new Set(paths)];
  return new Map(
    distinct.map((path) => {
      const others = distinct.filter((other) => other !== path).map((other) => new Set(endsOf(other)));
      return [path, endsOf(path).find((end) => others.every((ends) => !ends.has(end))) ?? path];
    }),
  );
}

/** `/a/b` ends with `b`, `a/b` and `/a/b`. */
function endsOf(path: string): string[] {
  const starts = [...path.matchAll(/[^/\\]+/g)].map(({ index }) => index).reverse();
  return [...starts.filter((start) => start > 0).map((start) => path.slice(start)), path];
}
