import { effect, signal } from '@preact/signals';
import { xAxes } from '../../experiments/xAxis.ts';
import type { PanelKind, ToPanelMessage } from '../../protocol/panelMessages.ts';
import { ChartBoard } from '../charts/chartBoard.ts';
import { CurveStore } from '../charts/curveStore.ts';
import type { PanelHost } from '../panelHost.ts';

export interface CurvesModel {
  host: PanelHost;
  store: CurveStore;
  board: ChartBoard;
  /** False until the first snapshot. */
  loaded: { value: boolean };
  fault: { value: { message: string; remedy: string } | null };
  /** Runs that were asked for and are gone. */
  missing: { value: readonly string[] };
  base: { value: string | null };
  /** Metrics that the table of a comparison shows; null as long as nobody has chosen. */
  columns: { value: readonly string[] | null };
}

/** State of the curves or the comparison panel, fed by the host and saved across reloads. */
export function curvesModel(host: PanelHost, kind: Exclude<PanelKind, 'grid'> = 'curves'): CurvesModel {
  const store = new CurveStore();
  const board = new ChartBoard(store);
  const loaded = signal(false);
  const fault = signal<{ message: string; remedy: string } | null>(null);
  const missing = signal<readonly string[]>([]);
  const base = signal<string | null>(null);
  const saved = host.saved();
  restore(board, saved?.choices ?? {});
  const savedColumns = saved?.choices['columns'];
  const columns = signal<readonly string[] | null>(
    typeof savedColumns === 'string' ? savedColumns.split('\n').filter(Boolean) : null,
  );
  base.value = saved?.baseId ?? null;

  const take = (message: ToPanelMessage): void => {
    switch (message.type) {
      case 'curves/snapshot':
      case 'comparison/snapshot':
        // Other runs than before: their zoom and hidden lines mean nothing here.
        if (loaded.value && !message.runs.some(({ id }) => store.runs.value.some((known) => known.id === id))) {
          board.zoom.value = null;
          board.hidden.value = new Set();
        }
        store.replace(message.runs, message.series);
        missing.value = message.missing;
        if (message.type === 'comparison/snapshot') base.value = message.baseId ?? base.value;
        loaded.value = true;
        fault.value = null;
        break;
      case 'curves/append': {
        if (!loaded.value) break;
        const names = store.runs.value.filter(({ id }) => message.removed.includes(id)).map(({ name }) => name);
        if (names.length > 0) missing.value = [...missing.value, ...names];
        fault.value = null;
        if (!store.append(message.runs, message.series, message.removed)) host.send({ type: 'ready', panel: kind });
        break;
      }
      case 'grid/snapshot':
      case 'table/snapshot':
      case 'table/append':
      case 'look/snapshot':
        break;
      case 'panel/error':
        fault.value = { message: message.message, remedy: message.remedy };
        break;
    }
  };
  host.receive(take);
  host.send({ type: 'ready', panel: kind });

  effect(() => {
    const choices = {
      axis: board.axis.value,
      beta: board.beta.value,
      from: board.zoom.value?.from ?? null,
      to: board.zoom.value?.to ?? null,
      logarithmic: [...board.logarithmic.value].join(' '),
      columns: columns.value?.join('\n') ?? null,
    };
    const runIds = store.runs.value.map(({ id }) => id);
    if (loaded.value) host.save({ kind, runIds, sweepId: null, baseId: base.value, choices });
  });
  return { host, store, board, loaded, fault, missing, base, columns };
}

function restore(board: ChartBoard, choices: Record<string, unknown>): void {
  const { axis, beta, from, to, logarithmic } = choices;
  board.axis.value = xAxes.find((known) => known === axis) ?? board.axis.value;
  if (typeof beta === 'number' && beta >= 0 && beta < 1) board.beta.value = beta;
  if (typeof from === 'number' && typeof to === 'number' && to > from) board.zoom.value = { from, to };
  if (typeof logarithmic === 'string') board.logarithmic.value = new Set(logarithmic.split(' ').filter(Boolean));
}
