import { computed, effect, signal } from '@preact/signals';
import type { Grid } from '../../experiments/grid.ts';
import { aggregateGrid } from '../../experiments/grid.ts';
import { metricInfo } from '../../experiments/compare.ts';
import type { GridData } from '../../protocol/panelMessages.ts';
import type { SweepRecord } from '../../protocol/records.ts';
import type { PanelHost } from '../panelHost.ts';

export interface GridModel {
  host: PanelHost;
  data: { value: GridData | null };
  fault: { value: { message: string; remedy: string } | null };
  rowKey: { value: string | null };
  columnKey: { value: string | null };
  metric: { value: string };
  choose: { value: 'best' | 'last' };
  grid: { readonly value: Grid | null };
}

/** State of the grid panel: the sweep, and which axes and metric are looked at. */
export function gridModel(host: PanelHost, given?: GridData): GridModel {
  const data = signal<GridData | null>(null);
  const fault = signal<{ message: string; remedy: string } | null>(null);
  const rowKey = signal<string | null>(null);
  const columnKey = signal<string | null>(null);
  const metric = signal('');
  const choose = signal<'best' | 'last'>('last');
  const saved = given ? undefined : host.saved();

  const take = (grid: GridData): void => {
    const { axes } = grid.sweep;
    const known = (key: unknown) => axes.find((axis) => axis.key === key)?.key;
    if (data.value === null) {
      // The axis with more values runs across, where there is more room.
      const [first, second] = [...axes].sort((a, b) => b.values.length - a.values.length);
      columnKey.value = known(saved?.choices['columnKey']) ?? first?.key ?? null;
      rowKey.value = known(saved?.choices['rowKey']) ?? second?.key ?? null;
      if (rowKey.value === columnKey.value) rowKey.value = axes.find(({ key }) => key !== columnKey.value)?.key ?? null;
      const savedMetric = saved?.choices['metric'];
      metric.value = typeof savedMetric === 'string' ? savedMetric : grid.sweep.metric;
      choose.value = saved?.choices['choose'] === 'best' ? 'best' : 'last';
    }
    data.value = grid;
    fault.value = null;
  };
  if (given) take(given);

  host.receive((message) => {
    if (message.type === 'grid/snapshot') take(message.grid);
    else if (message.type === 'panel/error') fault.value = { message: message.message, remedy: message.remedy };
  });
  if (!given) host.send({ type: 'ready', panel: 'grid' });

  /** The sweep's own goal for its metric; for another metric, the way that is better. */
  const goal = computed((): SweepRecord['goal'] => {
    const sweep = data.value?.sweep;
    if (sweep && metric.value === sweep.metric) return sweep.goal;
    return metricInfo(metric.value).better === 'lower' ? 'minimise' : 'maximise';
  });
  const grid = computed(() =>
    data.value
      ? aggregateGrid(data.value, {
          rowKey: rowKey.value,
          columnKey: columnKey.value,
          metric: metric.value,
          goal: goal.value,
          choose: choose.value,
        })
      : null,
  );
  effect(() => {
    const choices = {
      rowKey: rowKey.value,
      columnKey: columnKey.value,
      metric: metric.value,
      choose: choose.value,
    };
    const sweepId = data.value?.sweep.id;
    if (sweepId !== undefined && !given) host.save({ kind: 'grid', runIds: [], sweepId, baseId: null, choices });
  });
  return { host, data, fault, rowKey, columnKey, metric, choose, grid };
}
