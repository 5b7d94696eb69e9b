import { useSignal } from '@preact/signals';
import { t } from '../l10n.ts';
import { Button } from '../parts/controls.tsx';
import { stateLabel } from '../parts/StateBadge.tsx';
import { theme } from '../theme.ts';
import type { ChartBoard } from './chartBoard.ts';
import { lineStyle } from './lineStyle.ts';

const collapsedCount = 12;

/** The runs with their line styles: a press hides one, pointing at one lifts its lines out. */
export function RunLegend({ board }: { board: ChartBoard }) {
  const expanded = useSignal(false);
  const runs = board.store.runs.value;
  const hidden = board.hidden.value;
  const shown = expanded.value ? runs : runs.slice(0, collapsedCount);
  const toggle = (id: string): void => {
    const next = new Set(hidden);
    if (!next.delete(id)) next.add(id);
    board.hidden.value = next;
  };
  return (
    <div class="legend">
      <ul aria-label={t('Runs')}>
        {shown.map((run, i) => (
          <li key={run.id}>
            <button
              type="button"
              class="legend-entry"
              aria-pressed={!hidden.has(run.id)}
              title={`${run.name}\n${stateLabel(run.state)}\n${hidden.has(run.id) ? t('Show') : t('Hide')}`}
              onClick={() => toggle(run.id)}
              onPointerEnter={() => (board.highlighted.value = run.id)}
              onPointerLeave={() => (board.highlighted.value = null)}
              onFocus={() => (board.highlighted.value = run.id)}
              onBlur={() => (board.highlighted.value = null)}
            >
              <LineSample index={i} />
              <span class="legend-name">{run.name}</span>
            </button>
          </li>
        ))}
      </ul>
      {runs.length > collapsedCount && (
        <Button
          kind="quiet"
          label={expanded.value ? t('Fewer') : t('{0} more', runs.length - collapsedCount)}
          onClick={() => (expanded.value = !expanded.value)}
        />
      )}
      {hidden.size > 0 && (
        <Button kind="quiet" label={t('Show all runs')} onClick={() => (board.hidden.value = new Set())} />
      )}
    </div>
  );
}

export function LineSample({ index }: { index: number }) {
  const { colour, dash } = lineStyle(index, theme.value);
  return (
    <svg class="line-sample" width="20" height="8" aria-hidden="true">
      <line x1="1" y1="4" x2="19" y2="4" stroke={colour} stroke-width="2.5" stroke-dasharray={dash.join(' ')} />
    </svg>
  );
}
