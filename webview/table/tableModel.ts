import { computed, effect, signal } from '@preact/signals';
import type { SortKey, TableColumn, TableItem } from '../../experiments/runsTable.ts';
import { defaultColumns, tableColumns, tableItems } from '../../experiments/runsTable.ts';
import type { TableProgress, TableRow } from '../../protocol/panelMessages.ts';
import type { PanelHost } from '../panelHost.ts';

export interface TableModel {
  host: PanelHost;
  loaded: { value: boolean };
  fault: { value: { message: string; remedy: string } | null };
  rows: { value: ReadonlyMap<string, TableRow> };
  progress: { value: TableProgress };
  filter: { value: string };
  sort: { value: readonly SortKey[] };
  groupBy: { value: string | null };
  /** Ids of the columns shown; null as long as nobody has chosen. */
  chosen: { value: readonly string[] | null };
  archived: { value: boolean };
  selected: { value: ReadonlySet<string> };
  /** All columns there are, and those shown. */
  columns: { readonly value: TableColumn[] };
  shown: { readonly value: TableColumn[] };
  items: { readonly value: TableItem[] };
}

/** State of the table of runs, fed by the host and saved across reloads. */
export function tableModel(host: PanelHost): TableModel {
  const loaded = signal(false);
  const fault = signal<{ message: string; remedy: string } | null>(null);
  const rows = signal<ReadonlyMap<string, TableRow>>(new Map());
  const progress = signal<TableProgress>({ read: 0, total: 0 });
  const choices = host.saved()?.choices ?? {};
  const textOf = (key: string): string => (typeof choices[key] === 'string' ? choices[key] : '');
  const filter = signal(textOf('filter'));
  const sort = signal<readonly SortKey[]>(
    textOf('sort')
      .split('\n')
      .filter(Boolean)
      .map((key) => ({ column: key.slice(1), descending: key.startsWith('-') })),
  );
  const groupBy = signal<string | null>(textOf('groupBy') || null);
  const chosen = signal<readonly string[] | null>(textOf('columns') ? textOf('columns').split('\n') : null);
  const archived = signal(choices['archived'] === true);
  const selected = signal<ReadonlySet<string>>(new Set());

  host.receive((message) => {
    switch (message.type) {
      case 'table/snapshot':
        rows.value = new Map(message.rows.map((row) => [row.id, row]));
        progress.value = message.progress;
        loaded.value = true;
        fault.value = null;
        break;
      case 'table/append': {
        const next = new Map(rows.value);
        for (const row of message.rows) next.set(row.id, row);
        for (const id of message.removed) next.delete(id);
        rows.value = next;
        progress.value = message.progress;
        selected.value = new Set([...selected.value].filter((id) => next.has(id)));
        break;
      }
      case 'curves/snapshot':
      case 'curves/append':
      case 'comparison/snapshot':
      case 'grid/snapshot':
      case 'look/snapshot':
        break;
      case 'panel/error':
        fault.value = { message: message.message, remedy: message.remedy };
        break;
    }
  });
  host.send({ type: 'ready', panel: 'table' });

  const listed = computed(() => [...rows.value.values()].filter((row) => archived.value || !row.archived));
  const columns = computed(() => tableColumns(listed.value));
  const shown = computed(() => {
    const wanted = chosen.value ?? defaultColumns(columns.value);
    return columns.value.filter(({ id }) => id === 'name' || wanted.includes(id));
  });
  const items = computed(() =>
    tableItems(listed.value, columns.value, { filter: filter.value, sort: sort.value, groupBy: groupBy.value }),
  );
  effect(() => {
    const saved = {
      filter: filter.value,
      sort: sort.value.map(({ column, descending }) => `${descending ? '-' : '+'}${column}`).join('\n'),
      groupBy: groupBy.value,
      columns: chosen.value?.join('\n') ?? null,
      archived: archived.value,
    };
    if (loaded.value) host.save({ kind: 'table', runIds: [], sweepId: null, baseId: null, choices: saved });
  });
  return {
    ...{ host, loaded, fault, rows, progress, filter, sort, groupBy, chosen, archived, selected },
    ...{ columns, shown, items },
  };
}
