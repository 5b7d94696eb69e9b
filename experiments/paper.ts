/**
 * Results that the paper reports (Wu et al., "Simplifying DINO via Coding Rate Regularization", ICML 2025), as reference
 * rows beside one's own. They are on ImageNet-1k with the paper's hardware and 100 epochs or more; a small data set
 * does not compare with them in absolute terms, and the rows say so by naming theirs.
 */
import { tableValue } from './formatMetric.ts';
import tables from './paperTables.json' with { type: 'json' };
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

/** Tables 1 and 5 to 9: the rows with k-NN or linear-probe accuracy. */
export const paperRows: readonly PaperRow[] = [
  ...tables.table1_imagenet1k.rows.map(([method, model, epochs, knn, linear]) =>
    row('Table 1', String(method), String(model), Number(epochs), '', accuracies(knn, linear)),
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

/**
 * A result table with the rows of one of the paper's tables below its own, as references: never the best of a column, since they are
 * of another data set. `metrics` are the columns behind the first.
 */
export function withReferences(table: ResultTable, metrics: readonly string[], paperTable: string): ResultTable {
  const references = paperRows.filter((reference) => reference.table === paperTable);
  const rows = references.map(({ method, model, epochs, dataset, setting, metrics: reported }): ResultCell[] => {
    const details = [model, epochs === null ? '' : `${epochs} epochs`, setting, dataset].filter(Boolean).join(', ');
    const cells = metrics.map((metric): ResultCell => {
      const value = reported[metric];
      return typeof value === 'number' ? { value: tableValue(metric, value).value, decimals: 1 } : null;
    });
    return [{ text: `${paperTable}: ${method} (${details})` }, ...cells];
  });
  return { ...table, rows: [...table.rows, ...rows] };
}

/** The table that a sweep over this key reproduces, if the paper has one. */
export function paperTableFor(axisKeys: readonly string[]): string | null {
  const reproduced: Record<string, string> = {
    'train.batchSize': 'Table 7',
    'train.epochs': 'Table 8',
    'teacher.update': 'Table 9',
    'loss.regulariser': 'Table 5',
  };
  return axisKeys.map((key) => reproduced[key]).find((table) => table !== undefined) ?? null;
}

type Reported = string | number | boolean | null | undefined;

function row(
  table: string,
  method: string,
  model: string,
  epochs: number | null,
  setting: string,
  metrics: Record<string, number | null>,
): PaperRow {
  return { table, method, model, epochs, dataset: imagenet, setting, metrics };
}

function accuracies(knn: Reported, linear: Reported): Record<string, number | null> {
  return { knnTop1: share(knn), linearTop1: share(linear) };
}

/** The paper gives per cent; "NaN" there is a divergence. */
function share(reported: Reported): number | null {
  return typeof reported === 'number' ? reported / 100 : null;
}
