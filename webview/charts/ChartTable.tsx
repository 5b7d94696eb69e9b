import { formatMetric, formatNumber } from '../../experiments/formatMetric.ts';
import { firstAtLeast } from '../../experiments/decimate.ts';
import { dependOn } from '../dependOn.ts';
import { t } from '../l10n.ts';
import type { ChartBoard } from './chartBoard.ts';
import { xLabel } from './cardChart.ts';
import type { ChartSpec } from './chartSpecs.ts';

const rowLimit = 100;

/** The chart's window as a table: up to a hundred rows of raw values, evenly spread and ending with the last. */
export function ChartTable({ board, spec }: { board: ChartBoard; spec: ChartSpec }) {
  dependOn(board.store.revision);
  const { from, to } = board.window();
  const axis = board.axis.value;
  const runs = board.shown.value.slice(0, 8);
  const columns = runs.flatMap((run) =>
    spec.lines.flatMap((line) => {
      const curve = board.store.curve(run.id, line.metric);
      return curve && curve.length > 0 ? [{ run, line, curve, x: curve.x(axis, board.store.clock(run)) }] : [];
    }),
  );
  const [lead] = columns;
  if (!lead) return <p class="footnote">{t('Nothing was logged yet.')}</p>;
  const start = firstAtLeast(lead.x, from);
  const count = Math.max(
    0,
    firstAtLeast(lead.x, to + Number.EPSILON * Math.abs(to)) - start + (lead.x.at(-1) === to ? 1 : 0),
  );
  const shown = Math.min(rowLimit, count, lead.x.length - start);
  const rows = Array.from({ length: shown }, (_, i) =>
    Math.min(lead.x.length - 1, start + Math.round((i * (count - 1)) / Math.max(1, shown - 1))),
  );
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={t('{0} as a table', spec.title)}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('step')}</th>
            {axis !== 'step' && <th scope="col">{t(axis)}</th>}
            {columns.map(({ run, line }) => (
              <th scope="col" class="number" key={`${run.id} ${line.metric}`}>
                {runs.length > 1 ? `${run.name}: ${line.label}` : line.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row}>
              <th scope="row">{formatNumber(lead.curve.step[row]!, 8)}</th>
              {axis !== 'step' && <td>{xLabel(axis, lead.x[row]!)}</td>}
              {columns.map(({ run, line, curve }) => {
                const step = lead.curve.step[row]!;
                const at = firstAtLeast(curve.step, step);
                return (
                  <td class="number" key={`${run.id} ${line.metric}`}>
                    {curve.step[at] === step ? formatMetric(line.metric, curve.values[at]!) : '\u2013'}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {count > shown && <p class="footnote">{t('{0} of {1} rows; export CSV for all.', shown, count)}</p>}
    </div>
  );
}
