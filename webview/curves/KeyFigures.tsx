import { metricInfo } from '../../experiments/compare.ts';
import { formatMetric, formatNumber } from '../../experiments/formatMetric.ts';
import { settledValue } from '../../experiments/settledValue.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import type { CurveStore } from '../charts/curveStore.ts';
import { dependOn } from '../dependOn.ts';
import { t } from '../l10n.ts';
import { isActive } from './RunHeader.tsx';

const shown = ['loss', 'distance', 'codingRate', 'knnTop1', 'imagesPerSecond'];

/** A speed is no result, and one term of the objective is least where the features have collapsed. */
const withoutBest = new Set(['distance', 'codingRate', 'imagesPerSecond']);

/** The numbers one looks for first. */
export function KeyFigures({ run, store }: { run: RunSummary; store: CurveStore }) {
  dependOn(store.revision);
  const figures = shown.filter((metric) => run.last[metric] !== undefined);
  if (figures.length === 0)
    return (
      <p class="quiet-line">
        {isActive(run) ? t('Waiting for the first step.') : t('It ended before its first step.')}
      </p>
    );
  return (
    <dl class="figures">
      {figures.map((metric) => {
        const { label, unit, description } = metricInfo(metric);
        // One slow step, an evaluation's say, is not the speed of the run.
        const settled = metric === 'imagesPerSecond' ? store.curve(run.id, metric) : undefined;
        const value = (settled && settledValue(settled.values)) ?? run.last[metric]!;
        return (
          <div class={`figure${Number.isFinite(value) ? '' : ' broken'}`} key={metric} title={description}>
            <dt>{label}</dt>
            <dd>
              <b>{formatMetric(metric, value)}</b>
              {unit && <span class="unit">{unit}</span>}
              <span class="figure-note">{note(run, metric)}</span>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function note(run: RunSummary, metric: string): string {
  const maximum = run.last['codingRateMax'];
  const rate = run.last['codingRate'];
  if (metric === 'codingRate' && maximum !== undefined && rate !== undefined && maximum > 0) {
    return t('{0} % of its maximum {1}', Math.round((100 * rate) / maximum), formatMetric(metric, maximum));
  }
  const best = run.best[metric];
  if (!best || withoutBest.has(metric)) return '';
  return best.value === run.last[metric]
    ? isActive(run)
      ? t('best so far')
      : t('its best')
    : t('best {0} at step {1}', formatMetric(metric, best.value), formatNumber(best.step, 8));
}
