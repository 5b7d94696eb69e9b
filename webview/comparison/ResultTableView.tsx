import type { ResultTable } from '../../experiments/tables.ts';
import { plain } from '../../experiments/tables.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import { LineSample } from '../charts/RunLegend.tsx';
import { t } from '../l10n.ts';
import { StateBadge } from '../parts/StateBadge.tsx';

/** A result table with the best values in bold; rows that are runs carry their line, state and a link. */
export function ResultTableView(props: {
  table: ResultTable;
  /** The runs of the rows, null where rows are means. */
  runs: readonly RunSummary[] | null;
  base: number;
  onOpen: (runId: string) => void;
}) {
  const { table, runs, base, onOpen } = props;
  return (
    <div class="table-scroll card results" tabIndex={0} role="region" aria-label={table.title}>
      <table>
        <thead>
          <tr>
            {table.columns.map(({ label, title, kind }) => (
              <th scope="col" class={kind} title={title} key={title ?? label}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, i) => {
            const run = runs?.[i];
            return (
              <tr key={run?.id ?? i}>
                {row.map((cell, column) => {
                  const text = cell !== null && 'text' in cell;
                  const words = text ? plain(cell) : plain(cell).replace(/^-/, '\u2212');
                  if (column === 0) {
                    return (
                      <th scope="row" class="run-name" key={column}>
                        {run ? (
                          <span class="run-cell">
                            <LineSample index={i} />
                            <button type="button" class="link" title={run.name} onClick={() => onOpen(run.id)}>
                              {run.name}
                            </button>
                            {i === base && runs && runs.length > 1 && <span class="base-mark">{t('base')}</span>}
                            {run.state !== 'finished' && <StateBadge state={run.state} />}
                          </span>
                        ) : (
                          words
                        )}
                      </th>
                    );
                  }
                  const best = cell !== null && 'value' in cell && cell.best;
                  return (
                    <td class={table.columns[column]!.kind} key={column}>
                      {best ? (
                        <strong>
                          {words}
                          <span class="visually-hidden"> {t('best')}</span>
                        </strong>
                      ) : (
                        words
                      )}
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
