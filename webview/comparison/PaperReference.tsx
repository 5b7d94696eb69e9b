import { metricInfo } from '../../experiments/compare.ts';
import { formatMetric } from '../../experiments/formatMetric.ts';
import { paperMetrics, paperRows, paperTables } from '../../experiments/paper.ts';
import { t } from '../l10n.ts';

/** What the paper reports, as reference: one of its tables, or all. */
export function PaperReference({ table }: { table?: string | undefined }) {
  return (
    <>
      <p class="footnote paper-source">
        {t(
          'Wu et al., Simplifying DINO via Coding Rate Regularization, ICML 2025. Figures of other data sets do not compare with them.',
        )}
      </p>
      {(table === undefined ? paperTables : [table]).map((one) => (
        <PaperTable key={one} table={one} />
      ))}
    </>
  );
}

/** With the columns that it reports. */
function PaperTable({ table }: { table: string }) {
  const rows = paperRows.filter((row) => row.table === table);
  const metrics = paperMetrics(table);
  const shown = (metric: string, value: number | null | undefined): string =>
    value === undefined ? '\u2013' : value === null ? t('failed or not given') : formatMetric(metric, value);
  return (
    <div class="table-scroll card paper-table" tabIndex={0} role="region" aria-label={t('The paper\u2019s {0}', table)}>
      <table>
        <thead>
          <tr>
            {[t('Source'), t('Method'), t('Model'), t('Epochs'), t('Setting'), t('Data')].map((label) => (
              <th scope="col" key={label}>
                {label}
              </th>
            ))}
            {metrics.map((metric) => (
              <th scope="col" class="number" key={metric}>
                {metricInfo(metric).label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              <td>{row.table}</td>
              <td>{row.method}</td>
              <td>{row.model}</td>
              <td>{row.epochs ?? '\u2013'}</td>
              <td>{row.setting || '\u2013'}</td>
              <td>{row.dataset}</td>
              {metrics.map((metric) => (
                <td class="number" key={metric}>
                  {shown(metric, row.metrics[metric])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
