import { formatMetric } from '../../experiments/formatMetric.ts';
import { metricLabels } from '../../experiments/metricLabels.ts';
import { t } from '../l10n.ts';
import { Icon } from '../parts/Icon.tsx';
import { cellLooks } from './cellLooks.ts';
import { showValue } from './cellWords.ts';
import type { GridModel } from './gridModel.ts';

/** Every cell as a row, with the value of each seed. */
export function GridTable({ model }: { model: GridModel }) {
  const { sweep } = model.data.value!;
  const metric = model.metric.value;
  const named = metricLabels([metric])(metric);
  const cells = model.grid
    .value!.facets.flatMap((facet) => facet.cells.flat())
    .filter(({ state }) => state !== 'absent');
  const { host } = model;
  return (
    <div class="table-scroll card" tabIndex={0} role="region" aria-label={t('Values of all cells')}>
      <table>
        <thead>
          <tr>
            {sweep.axes.map(({ key }) => (
              <th scope="col" key={key}>
                <code>{key}</code>
              </th>
            ))}
            <th scope="col">{t('State')}</th>
            <th scope="col" class="number" title={named.title}>
              {named.label}
            </th>
            <th scope="col" class="number">
              {'\u00b1 95 %'}
            </th>
            <th scope="col" class="number">
              n
            </th>
            <th scope="col">{t('Seeds')}</th>
          </tr>
        </thead>
        <tbody>
          {cells.map((cell) => {
            const look = cellLooks[cell.state];
            return (
              <tr key={JSON.stringify(cell.at)} class={cell.best ? 'best-row' : ''}>
                {sweep.axes.map(({ key }) => (
                  <td key={key}>{showValue(cell.at[key] ?? null)}</td>
                ))}
                <td class={`one-line tone-${look.tone}`}>
                  {look.icon && <Icon name={look.icon} size={12} />} {look.label}
                </td>
                <td class="number">
                  {cell.summary ? (
                    cell.best ? (
                      <strong>{formatMetric(metric, cell.summary.mean)}</strong>
                    ) : (
                      formatMetric(metric, cell.summary.mean)
                    )
                  ) : (
                    '\u2013'
                  )}
                </td>
                <td class="number">
                  {cell.summary?.ci95 == null ? '\u2013' : formatMetric(metric, cell.summary.ci95)}
                </td>
                <td class="number">{cell.summary?.n ?? 0}</td>
                <td>
                  {cell.members.map(({ runId, seed, run, value }) =>
                    run ? (
                      <button
                        type="button"
                        class="link"
                        key={runId}
                        onClick={() => host.send({ type: 'openRun', runId })}
                        title={run.name}
                      >
                        {seed}: {value === undefined ? '\u2013' : formatMetric(metric, value)}
                      </button>
                    ) : (
                      <span class="muted" key={runId}>
                        {seed}: {'\u2013'}{' '}
                      </span>
                    ),
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
