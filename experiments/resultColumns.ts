/** The columns that a table of results can have: what runs have logged, results first. */
import type { RunSummary } from '../protocol/panelMessages.ts';
import { knownMetric, metricCatalogue, withoutData } from '../protocol/metrics.ts';
import { metricInfo, metricRows } from './compare.ts';
import { metricLabels, type MetricLabel } from './metricLabels.ts';

export interface ResultMetric extends MetricLabel {
  metric: string;
  /** Shown as long as nobody has chosen. */
  byDefault: boolean;
}

const firstOfAll = 'knnTop1';
/** Metrics that describe a result without being better one way. */
const telling = ['teacherStudentCosine'];
/** Of the machine, what people compare runs by. */
const throughput = 'imagesPerSecond';

/** Evaluations, then what training came to, then the machine; in each, the order of the catalogue and then of the names. */
export function resultMetrics(runs: readonly Pick<RunSummary, 'last' | 'best'>[]): ResultMetric[] {
  const place = (metric: string): number => {
    if (metric === firstOfAll) return 0;
    return { evaluation: 1, objective: 2, training: 2, machine: 3 }[metricInfo(metric).about ?? 'training'];
  };
  const metrics = metricRows(runs, 'last').map(({ metric }) => metric);
  const labelOf = metricLabels(metrics);
  return metrics
    .map((metric) => ({ metric, ...labelOf(metric), byDefault: isResult(metric) }))
    .sort((a, b) => place(a.metric) - place(b.metric));
}

function isResult(metric: string): boolean {
  const known = knownMetric(metric);
  // Of single views there are many; who wants them chooses them.
  if (!known || !Object.hasOwn(metricCatalogue, withoutData(metric))) return false;
  if (known.about === 'machine') return metric === throughput;
  return known.better !== null || telling.includes(metric);
}
