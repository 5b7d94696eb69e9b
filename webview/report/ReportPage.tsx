import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { rowsOfSummaries } from '../../experiments/summaryRows.ts';
import type { ReportData } from '../../experiments/reportData.ts';
import { ComparisonPanel } from '../comparison/ComparisonPanel.tsx';
import { CurvesPanel } from '../curves/CurvesPanel.tsx';
import { curvesModel } from '../curves/curvesModel.ts';
import { GridPanel } from '../grid/GridPanel.tsx';
import { gridModel } from '../grid/gridModel.ts';
import { t } from '../l10n.ts';
import { TablePanel } from '../table/TablePanel.tsx';
import { tableModel } from '../table/tableModel.ts';
import { pageHost } from './pageHost.ts';

interface Tab {
  id: string;
  label: string;
  make: () => ComponentChildren;
}

/** A report's views as tabs: comparison, grids, the table of runs, each run's curves. Only the chosen one is mounted. */
export function ReportPage({ data }: { data: ReportData }) {
  const open = (runIds: readonly string[]): void => {
    chosen.value = runIds.length === 1 ? `run ${runIds[0]}` : 'comparison';
  };
  const tabs = useMemo(() => tabsOf(data, open), [data]);
  const chosen = useSignal(tabs[0]?.id ?? '');
  const list = useRef<HTMLDivElement>(null);
  const current = tabs.find(({ id }) => id === chosen.value) ?? tabs[0];
  const body = useMemo(() => current?.make(), [current]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = tabs.findIndex(({ id }) => id === current?.id);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    const tab = next === undefined ? undefined : tabs[(next + tabs.length) % tabs.length];
    if (!tab) return;
    event.preventDefault();
    chosen.value = tab.id;
    list.current?.querySelector<HTMLElement>(`[data-tab="${CSS.escape(tab.id)}"]`)?.focus();
  };
  return (
    <>
      <header class="report-bar">
        <strong>{data.title}</strong>
        <span class="muted">
          SimDINO Studio {data.studioVersion} {'\u00b7'}{' '}
          {new Date(data.createdAtMs).toISOString().slice(0, 16).replace('T', ' ')} UTC
        </span>
        {tabs.length > 1 && (
          <div class="tabs" role="tablist" aria-label={t('Views')} ref={list} onKeyDown={onKeyDown}>
            {tabs.map(({ id, label }) => (
              <button
                type="button"
                role="tab"
                key={id}
                id={`tab-${id.replaceAll(' ', '-')}`}
                data-tab={id}
                title={label}
                aria-selected={id === current?.id}
                aria-controls="view"
                tabIndex={id === current?.id ? 0 : -1}
                onClick={() => (chosen.value = id)}
              >
                {label}
              </button>
            ))}
          </div>
        )}
      </header>
      <div id="view" {...(tabs.length > 1 ? { role: 'tabpanel' as const } : {})} key={current?.id}>
        {body}
      </div>
    </>
  );
}

function tabsOf(data: ReportData, open: (runIds: readonly string[]) => void): Tab[] {
  const { runs, series, grids, baseId } = data;
  const tabs: Tab[] = grids.map((grid) => ({
    id: `grid ${grid.sweep.id}`,
    label: t('Grid {0}', grid.name),
    make: () => <GridPanel model={gridModel(pageHost(undefined, open), grid)} />,
  }));
  if (runs.length > 1) {
    tabs.unshift({
      id: 'comparison',
      label: t('Comparison'),
      make: () => {
        const host = pageHost({ type: 'comparison/snapshot', runs, series, baseId, missing: [] }, open);
        return <ComparisonPanel model={curvesModel(host, 'comparison')} />;
      },
    });
    tabs.push({
      id: 'table',
      label: t('Runs'),
      make: () => {
        const progress = { read: runs.length, total: runs.length };
        const host = pageHost({ type: 'table/snapshot', rows: rowsOfSummaries(runs), progress }, open);
        return <TablePanel model={tableModel(host)} />;
      },
    });
  }
  return [
    ...tabs,
    ...runs.map((run) => ({
      id: `run ${run.id}`,
      label: run.name,
      make: () => {
        const own = series.filter(({ runId }) => runId === run.id);
        return (
          <CurvesPanel
            model={curvesModel(pageHost({ type: 'curves/snapshot', runs: [run], series: own, missing: [] }, open))}
          />
        );
      },
    })),
  ];
}
