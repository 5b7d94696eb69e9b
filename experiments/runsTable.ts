/** The table of runs: its columns, and which rows in which order - filtered, sorted by several columns, grouped by one. */
import type { TableRow } from '../protocol/panelMessages.ts';
import type { JsonScalar } from '../protocol/records.ts';
import { formatMetric, formatNumber } from './formatMetric.ts';
import { metricLabels, type MetricLabel } from './metricLabels.ts';
import { meanInterval, type MeanInterval } from './studentT.ts';

/** `text`, `number`, `metric` (formatted by its name) or `time`. */
export interface TableColumn {
  /** `name`, `last:loss`, `best:knnTop1`, `config:loss.eps`. */
  id: string;
  label: string;
  /** The whole label where it is shortened, for a tooltip. */
  title?: string;
  kind: 'text' | 'number' | 'metric' | 'time';
  /** Of a metric column. */
  metric?: string;
  value: (row: TableRow) => JsonScalar | undefined;
}

export interface SortKey {
  column: string;
  descending: boolean;
}

export interface TableView {
  filter: string;
  /** The first decides, the next among equals. */
  sort: readonly SortKey[];
  /** Id of the column whose values make groups; null for none. */
  groupBy: string | null;
}

export type TableItem =
  | { kind: 'group'; value: JsonScalar | undefined; count: number; means: Record<string, MeanInterval> }
  | { kind: 'row'; row: TableRow };

const fixedColumns: readonly TableColumn[] = [
  { id: 'name', label: 'Run', kind: 'text', value: ({ name }) => name },
  { id: 'state', label: 'State', kind: 'text', value: ({ state }) => state },
  { id: 'created', label: 'Started', kind: 'time', value: ({ createdAtMs }) => createdAtMs || undefined },
  { id: 'epoch', label: 'Epoch', kind: 'number', value: ({ epoch }) => epoch },
  { id: 'method', label: 'Method', kind: 'text', value: ({ method }) => method },
  { id: 'seed', label: 'Seed', kind: 'number', value: ({ seed }) => seed },
  { id: 'grid', label: 'Grid', kind: 'text', value: ({ sweepId }) => sweepId ?? undefined },
  { id: 'tags', label: 'Tags', kind: 'text', value: ({ tags }) => tags.join(', ') || undefined },
  { id: 'notes', label: 'Notes', kind: 'text', value: ({ notes }) => notes || undefined },
];

/** Every column that some row has a value for. */
export function tableColumns(rows: readonly TableRow[]): TableColumn[] {
  const last = new Set(rows.flatMap((row) => Object.keys(row.last)));
  const best = new Set(rows.flatMap((row) => Object.keys(row.best)));
  const keys = new Set(rows.flatMap((row) => Object.keys(row.config)));
  for (const name of ['step', 'epoch', 'time']) last.delete(name);
  const labelOf = metricLabels([...last]);
  return [
    ...fixedColumns.filter(({ value }) => rows.some((row) => value(row) !== undefined)),
    ...[...last].sort(byCatalogue).flatMap((metric): TableColumn[] => [
      {
        id: `last:${metric}`,
        ...labelOf(metric),
        kind: 'metric',
        metric,
        value: (row) => row.last[metric],
      },
      ...(best.has(metric)
        ? [
            {
              id: `best:${metric}`,
              ...bestLabel(labelOf(metric)),
              kind: 'metric' as const,
              metric,
              value: (row: TableRow) => row.best[metric]?.value,
            },
          ]
        : []),
    ]),
    ...[...keys].sort().map((key): TableColumn => ({
      id: `config:${key}`,
      label: key,
      kind: rows.every((row) => ['number', 'undefined'].includes(typeof row.config[key])) ? 'number' : 'text',
      value: (row) => row.config[key],
    })),
  ];
}

/** What a table shows at first: who, how far, the accuracies and the loss, and up to four keys that differ between the runs. */
export function defaultColumns(columns: readonly TableColumn[]): string[] {
  const ids = columns.map(({ id }) => id);
  const wanted = [
    'name',
    'state',
    'created',
    'epoch',
    'last:knnTop1',
    'best:knnTop1',
    'last:loss',
    'best:loss',
    'seed',
  ];
  const keys = ids.filter((id) => id.startsWith('config:') && !/^config:(seed|data\.|runtime\.|eval\.)/.test(id));
  return [...wanted.filter((id) => ids.includes(id)), ...keys.slice(0, 4)];
}

/** The lines of the table, group lines among them. */
export function tableItems(rows: readonly TableRow[], columns: readonly TableColumn[], view: TableView): TableItem[] {
  const byId = new Map(columns.map((column) => [column.id, column]));
  const matches = compileFilter(view.filter, columns);
  const keys = view.sort.flatMap(({ column, descending }) => {
    const known = byId.get(column);
    return known ? [{ value: known.value, descending }] : [];
  });
  const shown = rows.filter(matches).sort((a, b) => {
    for (const { value, descending } of keys) {
      const order = compare(value(a), value(b), descending);
      if (order !== 0) return order;
    }
    return b.createdAtMs - a.createdAtMs || (a.id < b.id ? -1 : 1);
  });
  const group = view.groupBy === null ? undefined : byId.get(view.groupBy);
  if (!group) return shown.map((row) => ({ kind: 'row', row }));

  const groups = new Map<JsonScalar | undefined, TableRow[]>();
  for (const row of shown) {
    const value = group.value(row);
    groups.set(value, [...(groups.get(value) ?? []), row]);
  }
  const ordered = [...groups].sort(([a], [b]) => compare(a, b, false));
  return ordered.flatMap(([value, members]): TableItem[] => [
    { kind: 'group', value, count: members.length, means: meansOf(members, columns) },
    ...members.map((row): TableItem => ({ kind: 'row', row })),
  ]);
}

/** Of each group, or of all where there is none, the row that leads in a column; rows without a value don't. */
export function leadingItems(
  rows: readonly TableRow[],
  columns: readonly TableColumn[],
  view: Pick<TableView, 'filter' | 'groupBy'> & { by: TableColumn; descending: boolean },
): TableItem[] {
  const { by, descending, ...rest } = view;
  const items = tableItems(rows, columns, { ...rest, sort: [{ column: by.id, descending }] });
  return items.filter((item, i) => {
    if (item.kind === 'group') return true;
    return items[i - 1]?.kind !== 'row' && !isLacking(by.value(item.row));
  });
}

/**
 * A filter of words and conditions, all of which must hold: a word occurs in the name, id, state, method, grid, tags or notes;
 * `loss.eps=0.5`, `knnTop1>0.8`, `seed!=0` and `state:finished` compare a column by its id, its metric (last value) or its key.
 */
export function compileFilter(text: string, columns: readonly TableColumn[]): (row: TableRow) => boolean {
  const tests = text
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map((term) => compileTerm(term, columns));
  return (row) => tests.every((test) => test(row));
}

/** A column by its id, or by the metric (last value) or key that it is of. */
export function findColumn(name: string, columns: readonly TableColumn[]): TableColumn | undefined {
  return [name, `last:${name}`, `config:${name}`].map((id) => columns.find((one) => one.id === id)).find(Boolean);
}

/** A value as people read it; `timeText` is the way of the place to write a time. */
export function cellText(
  { kind, metric = '' }: TableColumn,
  value: JsonScalar | undefined,
  timeText: (time: Date) => string,
): string {
  if (value === undefined || value === null) return '\u2013';
  if (typeof value !== 'number') return String(value);
  if (kind === 'metric') return formatMetric(metric, value);
  return kind === 'time' ? timeText(new Date(value)) : formatNumber(value);
}

function compileTerm(term: string, columns: readonly TableColumn[]): (row: TableRow) => boolean {
  const match = /^([^<>=!:]+)(<=|>=|!=|<|>|=|:)(.+)$/.exec(term);
  const [, name = '', operator = '', wanted = ''] = match ?? [];
  const column = findColumn(name, columns);
  if (!match || !column) {
    const word = term.toLowerCase();
    return (row) => textOf(row).includes(word);
  }
  const number = Number(wanted);
  return (row) => {
    const value = column.value(row);
    const text = String(value ?? '').toLowerCase();
    switch (operator) {
      case ':':
        return text.includes(wanted.toLowerCase());
      case '=':
        return typeof value === 'number' && !Number.isNaN(number) ? value === number : text === wanted.toLowerCase();
      case '!=':
        return typeof value === 'number' && !Number.isNaN(number) ? value !== number : text !== wanted.toLowerCase();
    }
    if (typeof value !== 'number' || Number.isNaN(number)) return false;
    return (
      { '<': value < number, '<=': value <= number, '>': value > number, '>=': value >= number }[operator] === true
    );
  };
}

function textOf({ name, id, state, method, sweepId, tags, notes }: TableRow): string {
  return [name, id, state, method, sweepId ?? '', ...tags, notes].join('\n').toLowerCase();
}

/** Numbers by size, texts by language; what has no value, or none that is a number, comes last either way. */
function compare(a: JsonScalar | undefined, b: JsonScalar | undefined, descending: boolean): number {
  const [lacksA, lacksB] = [isLacking(a), isLacking(b)];
  if (lacksA || lacksB) return Number(lacksA) - Number(lacksB);
  const sign = descending ? -1 : 1;
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
  return sign * String(a).localeCompare(String(b), undefined, { numeric: true });
}

function isLacking(value: JsonScalar | undefined): boolean {
  return value === undefined || value === null || Number.isNaN(value);
}

function meansOf(rows: readonly TableRow[], columns: readonly TableColumn[]): Record<string, MeanInterval> {
  const means: Record<string, MeanInterval> = {};
  for (const { id, kind, value } of columns) {
    if (kind !== 'metric') continue;
    const finite = rows.map(value).filter((one): one is number => typeof one === 'number' && Number.isFinite(one));
    if (finite.length > 0) means[id] = meanInterval(finite);
  }
  return means;
}

const firstMetrics = ['knnTop1', 'linearTop1', 'loss'];
function byCatalogue(a: string, b: string): number {
  const rank = (metric: string): number => firstMetrics.indexOf(metric) + 1 || firstMetrics.length + 1;
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

function bestLabel({ label, title }: MetricLabel): MetricLabel {
  const best = (text: string) => `Best ${lowerFirst(text)}`;
  return { label: best(label), ...(title === undefined ? {} : { title: best(title) }) };
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text[0]!.toLowerCase() + text.slice(1) : text;
}
