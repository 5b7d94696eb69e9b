import { formatMetric } from '../../experiments/formatMetric.ts';
import { paperRows } from '../../experiments/paper.ts';
import { t } from '../l10n.ts';

/** What the paper reports, as reference: one of its tables, or all. */
export function PaperReference({ table }: { table?: string | undefined }) {
  const rows = paperRows.filter((row) => table === undefined || row.table === table);
  const accuracy = (value: number | null | undefined): string =>
    value === undefined ? '\u2013' : value === null ? t('failed or not given') : formatMetric('knnTop1', value);
  return (
    <>
      <p class="footnote paper-source">
        {t(
          'Wu et al., Simplifying DINO via Coding Rate Regularization, ICML 2025. ImageNet-1k; figures of other data sets do not compare with them.',
        )}
      </p>
      <div class="table-scroll card" tabIndex={0} role="region" aria-label={t('The paper\u2019s results')}>
        <table>
          <thead>
            <tr>
              {[t('Source'), t('Method'), t('Model'), t('Epochs'), t('Setting')].map((label) => (
                <th scope="col" key={label}>
                  {label}
                </th>
              ))}
              <th scope="col" class="number">
                {t('k-NN top-1')}
              </th>
              <th scope="col" class="number">
                {t('Linear top-1')}
              </th>
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
                <td class="number">{accuracy(row.metrics['knnTop1'])}</td>
                <td class="number">{accuracy(row.metrics['linearTop1'])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
