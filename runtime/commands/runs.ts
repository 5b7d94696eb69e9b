import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { metricInfo } from '../../experiments/compare.ts';
import { formatMetric } from '../../experiments/formatMetric.ts';
import {
  cellText,
  defaultColumns,
  findColumn,
  leadingItems,
  tableColumns,
  tableItems,
  type SortKey,
  type TableColumn,
  type TableItem,
} from '../../experiments/runsTable.ts';
import { resultTableOf } from '../../experiments/runsTableExport.ts';
import { listRuns } from '../../experiments/store/listRuns.ts';
import { RunCollection } from '../../experiments/store/runCollection.ts';
import { shownState, type RunOverview } from '../../experiments/store/summariseRun.ts';
import { TableData } from '../../experiments/store/tableData.ts';
import { toCsv, toLatex, toMarkdown } from '../../experiments/tables.ts';
import { errors } from '../../protocol/errors.ts';
import { metricMeant } from '../../protocol/metrics.ts';
import type { TableRow } from '../../protocol/panelMessages.ts';
import { exitCodes } from './exitCodes.ts';
import { sayMetricMeant, splitNames } from './metricArguments.ts';
import { sayProblems } from './sayProblems.ts';

const usage = `Usage: simdino runs [options]   what every run of a folder is doing, whoever started it

With one of these, the table of runs that the editor shows, last and best values included:
  --filter TEXT    words and conditions: "state:finished loss.eps=0.5 knnTop1>0.8"
  --sort KEYS      columns, separated by commas: "best:knnTop1:desc,seed"
  --group KEY      groups by a column: the mean of each metric \u00b1 its 95 % confidence interval
  --best METRIC    only the best run, or the best one of each group
  --columns KEYS   which columns to show; "all" for every one
  --archived       archived runs as well
  --export FORMAT  csv, json, markdown or latex

  --json           what the plain list holds, as JSON
  --runs-dir DIR   where run folders are (default: runs)

A column is a key of the configuration (loss.eps), a metric (knnTop1: its last value), best:METRIC, or one of name, state,
created, epoch, method, seed, grid, tags, notes. Figures on other data have them in their name; METRIC alone is enough where there is
but one. A name with a comma stands in double quotes: --columns 'seed,"maskAP on /data/a,b"', --sort '"best:maskAP on /data/a,b":desc'.
`;

/** `simdino runs`: what every run of a folder is doing, whoever started it. */
export async function run(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      'runs-dir': { type: 'string', default: 'runs' },
      filter: { type: 'string' },
      sort: { type: 'string' },
      group: { type: 'string' },
      best: { type: 'string' },
      columns: { type: 'string' },
      archived: { type: 'boolean' },
      export: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return exitCodes.success;
  }
  const { filter, sort, group, best, columns, archived, export: format } = values;
  const folder = resolve(values['runs-dir']);
  if ([filter, sort, group, best, columns, archived, format].some((value) => value !== undefined)) {
    const asked = { filter, sort, group, best, columns, archived };
    process.stdout.write(await writeTable(folder, asked, values.json ? 'json' : format));
    return exitCodes.success;
  }
  const { runs, skipped } = await listRuns(folder);
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ runs, skipped }, null, 2)}\n`);
    return exitCodes.success;
  }
  if (runs.length === 0) process.stdout.write(`No runs in ${folder}.\n`);
  else process.stdout.write(`${formatTable([header, ...runs.map(row)])}\n`);
  for (const { name, reason } of skipped) process.stderr.write(`passed over ${name}: ${reason}\n`);
  sayProblems(runs);
  return exitCodes.success;
}

const header = ['RUN', 'STATE', 'STEP', 'EPOCH', 'LOSS', 'K-NN', 'METHOD', 'SEED'];

function row(run: RunOverview): string[] {
  const { latest, record } = run;
  const number = (value: number | undefined, digits: number) => (value === undefined ? '-' : value.toFixed(digits));
  const knn = latest['knnTop1'];
  return [
    run.annotations.name ? `${run.annotations.name} (${run.id})` : run.id,
    shownState(run),
    `${latest['step'] ?? 0}/${record?.totalSteps ?? '?'}`,
    number(latest['epoch'], 1),
    number(latest['loss'], 4),
    knn === undefined ? '-' : `${(100 * knn).toFixed(1)} %`,
    record?.method ?? '?',
    String(record?.seed ?? '?'),
  ];
}

interface Asked {
  filter: string | undefined;
  sort: string | undefined;
  group: string | undefined;
  best: string | undefined;
  columns: string | undefined;
  archived: boolean | undefined;
}

async function writeTable(folder: string, asked: Asked, format: string | undefined): Promise<string> {
  const write = format === undefined ? asText : Object.hasOwn(writers, format) ? writers[format] : undefined;
  if (!write) throw errors.usage(`--export takes ${Object.keys(writers).join(', ')}, got '${format ?? ''}'.`);
  const rows = (await readRows(folder)).filter((row) => asked.archived === true || !row.archived);
  const known = tableColumns(rows);
  const taken = new Map<string, string>();
  const named = (name: string): TableColumn => {
    const [, prefix = '', metric = name] = /^(last:|best:)(.*)$/.exec(name) ?? [];
    const meant = metricMeant(
      metric,
      known.flatMap((column) => column.metric ?? []),
    );
    const column = findColumn(name, known) ?? (meant === undefined ? undefined : findColumn(prefix + meant, known));
    if (column?.metric !== undefined) taken.set(metric, column.metric);
    if (column) return column;
    throw errors.usage(`No run has a column '${name}'; there are ${known.map(({ id }) => id).join(', ')}.`);
  };
  const view = {
    filter: asked.filter ?? '',
    groupBy: asked.group === undefined ? null : named(asked.group).id,
  };
  const items =
    asked.best === undefined
      ? tableItems(rows, known, { ...view, sort: sortKeys(asked.sort ?? '', named) })
      : leadingItems(rows, known, { ...view, ...bestBy(asked.best, named) });
  const shown = chosenColumns(asked.columns, known, named);
  for (const [name, metric] of taken) sayMetricMeant(name, metric);
  return write(items, shown);
}

/** Every run with all that its metrics and its configuration say. */
async function readRows(folder: string): Promise<TableRow[]> {
  const collection = new RunCollection(folder);
  await collection.look({ monotonicMs: performance.now(), nowMs: Date.now() });
  const data = new TableData(collection);
  await data.news(Number.POSITIVE_INFINITY);
  return data.snapshot();
}

function sortKeys(text: string, named: (name: string) => TableColumn): SortKey[] {
  return splitNames('sort', text).map((key) => {
    const [, name = key, direction] = /^(.*):(asc|desc)$/.exec(key) ?? [];
    return { column: named(name).id, descending: direction === 'desc' };
  });
}

function bestBy(metric: string, named: (name: string) => TableColumn): { by: TableColumn; descending: boolean } {
  // Where no run has the metric, that is what is wrong with it.
  named(metric);
  const { better } = metricInfo(metric);
  if (better === null) throw errors.usage(`Neither way is better for '${metric}'; --sort orders by it.`);
  return { by: named(`best:${metric}`), descending: better === 'higher' };
}

function chosenColumns(
  text: string | undefined,
  known: readonly TableColumn[],
  named: (name: string) => TableColumn,
): TableColumn[] {
  if (text === 'all') return [...known];
  return (text === undefined ? defaultColumns(known) : ['name', ...splitNames('columns', text)])
    .map(named)
    .filter(({ id }, i, all) => all.findIndex((column) => column.id === id) === i);
}

type Writer = (items: readonly TableItem[], columns: readonly TableColumn[]) => string;

const writers: Record<string, Writer> = {
  csv: (items, columns) => toCsv(resultTableOf(items, columns)),
  markdown: (items, columns) => toMarkdown(resultTableOf(items, columns)),
  latex: (items, columns) => toLatex(resultTableOf(items, columns)),
  json: (items, columns) => {
    const rows = items.flatMap((item) => (item.kind === 'row' ? [item.row] : []));
    // JSON has no NaN: a loss that diverged is named.
    const named = (value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value);
    const objects = rows.map((row) => ({
      run: row.id,
      ...Object.fromEntries(columns.map(({ id, value }) => [id, named(value(row)) ?? null])),
    }));
    return `${JSON.stringify(objects, null, 2)}\n`;
  },
};

const asText: Writer = (items, columns) => {
  if (!items.some(({ kind }) => kind === 'row')) return 'No run matches.\n';
  const timeText = (time: Date): string => time.toISOString().slice(0, 16).replace('T', ' ');
  const lines = items.map((item) =>
    columns.map((column, i) => {
      if (item.kind === 'row') return cellText(column, column.value(item.row), timeText);
      if (i === 0) return `${String(item.value ?? 'not set')} (${item.count})`;
      const mean = item.means[column.id];
      if (!mean) return '';
      const spread = mean.ci95 === null ? '' : ` \u00b1 ${formatMetric(column.metric ?? '', mean.ci95)}`;
      return formatMetric(column.metric ?? '', mean.mean) + spread;
    }),
  );
  return `${formatTable([columns.map(({ label }) => label.toUpperCase()), ...lines])}\n`;
};

/** Columns padded to their widest cell. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
