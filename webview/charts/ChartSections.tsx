import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { t } from '../l10n.ts';
import type { PanelHost } from '../panelHost.ts';
import { ChartCard } from './ChartCard.tsx';
import type { ChartBoard } from './chartBoard.ts';
import { chartsFor, sections } from './chartSpecs.ts';
import { lossChart } from './lossChart.ts';

/** All charts of what was logged, by section; with `only`, those of some metrics in one section. */
export function ChartSections({ board, host, only }: { board: ChartBoard; host: PanelHost; only?: readonly string[] }) {
  const logged = board.store.metrics.value;
  const runCount = board.store.runs.value.length;
  const [single, ...others] = board.store.runs.value;
  const objective =
    single && others.length === 0 ? lossChart(single, (name) => board.store.curve(single.id, name)) : null;
  const key = [
    ...[...logged].sort(),
    objective?.description,
    ...(objective?.lines ?? []).map(({ metric }) => metric),
  ].join(' ');
  // The same specs as long as the same metrics are logged, so that a new point remounts no chart.
  const specs = useMemo(
    () => chartsFor(logged, runCount, objective).filter(({ id }) => !only || only.includes(id)),
    [key, runCount],
  );
  const wide = useMemo(() => signal<ReadonlySet<string>>(new Set()), []);
  if (specs.length === 0) {
    return (
      <div class="empty">
        <p>{t('Nothing was logged yet. Curves appear with the first step.')}</p>
      </div>
    );
  }
  const toggleWide = (id: string): void => {
    const next = new Set(wide.value);
    if (!next.delete(id)) next.add(id);
    wide.value = next;
  };
  return (
    <>
      {(only ? [{ id: null, title: t('Curves'), column: false }] : sections).map(({ id, title, column }) => {
        const inSection = specs.filter(({ section }) => id === null || section === id);
        if (inSection.length === 0) return null;
        return (
          <details class="section" open key={title}>
            <summary>
              <h2>{title}</h2>
            </summary>
            <div class={column ? 'charts column' : 'charts'}>
              {inSection.map((spec) => (
                <ChartCard
                  key={spec.id}
                  board={board}
                  spec={spec}
                  host={host}
                  wide={wide.value.has(spec.id)}
                  onWide={() => toggleWide(spec.id)}
                />
              ))}
            </div>
          </details>
        );
      })}
    </>
  );
}
