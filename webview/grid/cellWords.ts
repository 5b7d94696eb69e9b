import type { GridCell } from '../../experiments/grid.ts';
import { metricLabels } from '../../experiments/metricLabels.ts';
import { formatMetric, formatNumber } from '../../experiments/formatMetric.ts';
import type { JsonScalar } from '../../protocol/records.ts';
import { t } from '../l10n.ts';
import { cellLooks } from './cellLooks.ts';

/** A cell in one sentence: where it is, how it stands, what came out. */
export function cellWords(cell: GridCell, metric: string): string {
  const where = Object.entries(cell.at)
    .map(([key, value]) => `${key} ${showValue(value)}`)
    .join(', ');
  const parts = [where || t('all runs'), cellLooks[cell.state].label];
  if (cell.summary) {
    const { mean, ci95, n } = cell.summary;
    const spread = ci95 === null ? '' : ` \u00b1 ${formatMetric(metric, ci95)}`;
    const finished = cell.state === 'done' ? '' : ` ${n}/${cell.members.length}`;
    parts.push(`${metricLabels([metric])(metric).label} ${formatMetric(metric, mean)}${spread}, n = ${n}${finished}`);
  } else if (cell.preliminary !== null) {
    parts.push(t('so far {0}', formatMetric(metric, cell.preliminary)));
  }
  if (cell.best) parts.push(t('best'));
  return parts.join('; ');
}

/** The last part of a dotted key. */
export function shortKey(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

/** A value of the configuration; `digits` are significant ones, for values that fewer would make look alike. */
export function showValue(value: JsonScalar, digits?: number): string {
  if (typeof value === 'number') return formatNumber(value, digits);
  return value === null ? '\u2013' : String(value);
}
