/**
 * Results that the paper reports (Wu et al., "Simplifying DINO via Coding Rate Regularization", ICML 2025), as reference
 * rows beside one's own. They are on ImageNet-1k with the paper's hardware and 100 epochs or more; a small data set
 * does not compare with them in absolute terms, and the rows say so by naming theirs.
 */
import { metricColumn } from './comparisonTable.ts';
import { tableValue } from './formatMetric.ts';
import tables from './paperTables.json' with { type: 'json' };
import type { JsonScalar, SweepRecord } from '../protocol/records.ts';
import type { ResultCell, ResultTable } from './tables.ts';

export interface PaperRow {
  table: string;
  method: string;
  model: string;
  epochs: number | null;
  dataset: string;
  /** What the row varies, in words; empty where it is the main result. */
  setting: string;
  /** By the names of the metric catalogue; accuracies as shares of 1. Null: the paper reports a collapse or divergence. */
  metrics: Record<string, number | null>;
}

const imagenet = 'ImageNet-1k';
const maskCut = ['boxAP50', 'boxAP75', 'boxAP', 'maskAP50', 'maskAP75', 'maskAP'];
const denseTasks = ['segmentationIou', 'segmentationAccuracy', 'videoJF', 'videoJ', 'videoF'];

/** Tables 1 to 3 and 5 to 9: all that report results. */
export const paperRows: readonly PaperRow[] = [
  ...tables.table1_imagenet1k.rows.map(([method, model, epochs, knn, linear]) =>
    row('Table 1', String(method), String(model), Number(epochs), '', accuracies(knn, linear)),
  ),
  ...tables.table2_maskcut_coco_val2017.rows.map(([method, model, ...precisions]) =>
    row('Table 2', String(method), String(model), null, '', shares(maskCut, precisions), 'COCO val2017'),
  ),
  ...tables.table3_ade20k_davis.rows.map(([method, model, ...figures]) =>
    row('Table 3', String(method), String(model), null, '', shares(denseTasks, figures), 'ADE20K; DAVIS'),
  ),
  ...tables.table5_loss_ablation_simdinov2_vitl_100ep.rows.map(([objective, knn, linear]) =>
    row('Table 5', 'SimDINOv2', 'ViT-L', 100, `objective: ${objective}`, accuracies(knn, linear)),
  ),
  ...tables.table6_dino_sensitivity.rows.map(([, momentum, lastLayerNorm, temperature, knn]) =>
    row(
      'Table 6',
      'DINO',
      'ViT-S',
      null,
      `momentum ${momentum}, last-layer normalisation ${lastLayerNorm ? 'on' : 'off'}, teacher temperature ${String(temperature).replace('->', ' to ')}`,
      { knnTop1: share(knn) },
    ),
  ),
  ...Object.entries(tables.table7_batch_size_simdino_vits_100ep_knn).map(([batch, knn]) =>
    row('Table 7', 'SimDINO', 'ViT-S', 100, `batch ${batch}`, { knnTop1: share(knn) }),
  ),
  ...tables.table8_epochs_vitb.rows.map(([method, epochs, knn, linear]) =>
    row('Table 8', String(method), 'ViT-B', Number(epochs), '', accuracies(knn, linear)),
  ),
  ...tables.table9_no_self_distillation.rows.map(([method, model, distilled, epochs, knn, linear]) =>
    row(
      'Table 9',
      String(method),
      String(model),
      Number(epochs),
      distilled ? 'self-distillation' : 'no self-distillation',
      accuracies(knn, linear),
    ),
  ),
];

/** The names of the paper's tables that `paperRows` has rows of. */
export const paperTables: readonly string[] = [...new Set(paperRows.map(({ table }) => table))];

/** The metrics that one of the paper's tables (or all of them) reports, in the order of the tables. */
export function paperMetrics(paperTable?: string): string[] {
  const rows = paperRows.filter(({ table }) => paperTable === undefined || table === paperTable);
  return [...new Set(rows.flatMap(({ metrics }) => Object.keys(metrics)))];
}

/**
 * A result table with the rows of one of the paper's tables below its own, as references: never the best of a column, since they are
 * of another data set. `metrics` are the columns behind the first; what the paper reports beyond them gets columns of its own.
 */
export function withReferences(table: ResultTable, metrics: readonly string[], paperTable: string): ResultTable {
  const columnOf = new Map(paperMetrics(paperTable).map((reported) => [reported, columnFor(reported, metrics)]));
  const added = [...columnOf.values()].filter((metric) => !metrics.includes(metric));
  const references = paperRows.filter((reference) => reference.table === paperTable);
  const rows = references.map(({ method, model, epochs, dataset, setting, metrics: reported }): ResultCell[] => {
    const details = [model, epochs === null ? '' : `${epochs} epochs`, setting, dataset].filter(Boolean).join(', ');
    const byColumn = new Map(Object.entries(reported).map(([metric, value]) => [columnOf.get(metric), value]));
    const cells = [...metrics, ...added].map((metric): ResultCell => {
      const value = byColumn.get(metric);
      return typeof value === 'number' ? { value: tableValue(metric, value).value, decimals: 1 } : null;
    });
    return [{ text: `${paperTable}: ${method} (${details})` }, ...cells];
  });
  return {
    ...table,
    columns: [...table.columns, ...added.map((metric) => metricColumn(metric))],
    rows: [...table.rows.map((row) => [...row, ...added.map(() => null)]), ...rows],
  };
}

/** Where a figure of the paper stands: in its own column, or in that of the same figure on another split of one's own. */
function columnFor(reported: string, metrics: readonly string[]): string {
  const capital = `${reported[0]!.toUpperCase()}${reported.slice(1)}`;
  const alike = [reported, `test${capital}`, `validation${capital}`];
  return alike.find((metric) => metrics.includes(metric)) ?? reported;
}

/** Keys that a table of the paper varies within a method; of a sweep over several, the first one here decides. */
const reproduced: [string, string][] = [
  ['loss.regulariser', 'Table 5'],
  ['teacher.update', 'Table 9'],
  ['train.batchSize', 'Table 7'],
  ['train.epochs', 'Table 8'],
];
/** What Table 6 perturbs of DINO. */
const perturbed = [
  'teacher.momentum',
  'dino.prototypeNorm',
  'dino.teacherTemperature',
  'dino.teacherTemperatureStart',
  'dino.teacherTemperatureWarmupEpochs',
];

/**
 * The table that a sweep reproduces, if the paper has one: by its metric, by what varies within a method, else by the methods. A
 * cell that leaves its method to the sweep's base has that of the runs.
 */
export function paperTableFor(
  { cells, metric }: Pick<SweepRecord, 'cells' | 'metric'>,
  runs: readonly { id: string; method: string }[] = [],
): string | null {
  if (maskCut.includes(metric)) return 'Table 2';
  if (denseTasks.includes(metric)) return 'Table 3';
  const ofBase = cells.filter(({ cell }) => !('method' in cell));
  const method = runs.find(({ id }) => ofBase.some(({ runId }) => runId === id))?.method;
  const settings = cells.map(({ cell }) => (method === undefined ? cell : { method, ...cell }));
  const varied = (key: string, method: JsonScalar | undefined): boolean => {
    const own = settings.filter((cell) => cell['method'] === method);
    return new Set(own.map((cell) => cell[key])).size > 1;
  };
  const methods = [...new Set(settings.map((cell) => cell['method']))];
  const found = reproduced.find(([key]) => methods.some((method) => varied(key, method)));
  if (found) return found[1];
  // A sweep that names no method and has no run yet may be of any.
  const ofDino = methods.filter((method) => method === 'dino' || method === undefined);
  // With learning rates beside them they are searched for the best, not perturbed.
  const isSearch = methods.some((method) => varied('optim.lr', method));
  const isTable6 = !isSearch && perturbed.some((key) => ofDino.some((method) => varied(key, method)));
  if (isTable6) return 'Table 6';
  return methods.length > 1 ? 'Table 1' : null;
}

type Reported = string | number | boolean | null | undefined;

function row(
  table: string,
  method: string,
  model: string,
  epochs: number | null,
  setting: string,
  metrics: Record<string, number | null>,
  dataset = imagenet,
): PaperRow {
  return { table, method, model, epochs, dataset, setting, metrics };
}

function shares(metrics: readonly string[], reported: readonly Reported[]): Record<string, number | null> {
  return Object.fromEntries(metrics.map((metric, i) => [metric, share(reported[i])]));
}

function accuracies(knn: Reported, linear: Reported): Record<string, number | null> {
  return { knnTop1: share(knn), linearTop1: share(linear) };
}

/** The paper gives per cent; "NaN" there is a divergence. */
function share(reported: Reported): number | null {
  return typeof reported === 'number' ? reported / 100 : null;
}
