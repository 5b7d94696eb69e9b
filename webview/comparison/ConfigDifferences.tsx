import { differingKeys } from '../../experiments/compare.ts';
import { digitsToDistinguish } from '../../experiments/formatMetric.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import { LineSample } from '../charts/RunLegend.tsx';
import { showValue } from '../grid/cellWords.ts';
import { t } from '../l10n.ts';
import type { PanelHost } from '../panelHost.ts';

/** Only the keys on which the runs disagree; what differs from the base is marked by weight, not by colour alone. */
export function ConfigDifferences(props: { runs: readonly RunSummary[]; base: number; host: PanelHost }) {
  const { runs, base, host } = props;
  const rows = differingKeys(runs, base).map((row) => ({ ...row, digits: digitsToDistinguish(row.values) }));
  if (runs.length < 2) return <p class="quiet-line">{t('Add another run to compare with.')}</p>;
  if (rows.length === 0) return <p class="quiet-line">{t('The configurations are equal.')}</p>;
  return (
    <div class="table-scroll card" tabIndex={0} role="region" aria-label={t('Keys that differ')}>
      <table class="differences">
        <thead>
          <tr>
            <th scope="col">{t('Key')}</th>
            {runs.map((run, i) => (
              <th scope="col" key={run.id}>
                <span class="run-cell">
                  <LineSample index={i} />
                  {host.live && i !== base ? (
                    <button
                      type="button"
                      class="link"
                      title={t('Show the difference of the YAML files')}
                      onClick={() => host.send({ type: 'diffConfigs', leftId: runs[base]!.id, rightId: run.id })}
                    >
                      {run.name}
                    </button>
                  ) : (
                    <span>{run.name}</span>
                  )}
                  {i === base && <span class="base-mark">{t('base')}</span>}
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, values, differs, digits }) => (
            <tr key={key}>
              <th scope="row">
                {host.live ? (
                  <button
                    type="button"
                    class="link"
                    title={t('Edit this hyperparameter in the configuration of {0}', runs[base]!.name)}
                    onClick={() => host.send({ type: 'editHyperparameter', runId: runs[base]!.id, key })}
                  >
                    <code>{key}</code>
                  </button>
                ) : (
                  <code>{key}</code>
                )}
              </th>
              {values.map((value, i) => (
                <td key={i} class={`mono${differs[i] ? ' differs' : ''}`}>
                  {value === undefined ? t('not set') : showValue(value, digits)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
