/** Runs and sweeps as result tables, ready to be shown or written as Markdown, CSV or LaTeX. */
import type { RunSummary } from '../protocol/panelMessages.ts';
import type { ValueChoice } from './compare.ts';
import { bestShown, metricInfo, metricRows, rankedBy } from './compare.ts';
import { tableValue } from './formatMetric.ts';
import type { Grid } from './grid.ts';
import { arms } from './honesty.ts';
import { metricLabels, type MetricLabel } from './metricLabels.ts';
import { meanInterval } from './studentT.ts';
import type { ResultCell, ResultColumn, ResultTable } from './tables.ts';

type Tabled = Pick<RunSummary, 'id' | 'name' | 'seed' | 'config' | 'last' | 'best'>;

/** One row a run, one column a metric; the best of each column is marked. */
export function runsTable(
  runs: readonly Tabled[],
  options: { metrics: readonly string[]; choose: ValueChoice },
): ResultTable {
  const rows = metricRows(runs, options.choose);
  const columns = options.metrics.map((metric) => {
    const row = rows.find((one) => one.metric === metric);
    return numberColumn(
      metric,
      runs.map((_, i) => row?.values[i]),
      { better: rankedBy(metric, runs) },
    );
  });
  return assemble('Results by run', [{ label: 'Run', cells: runs.map(({ name }) => name) }], options.metrics, columns);
}

/** One row an arm (runs that differ in the seed only): mean +- 95 % confidence interval with n. */
export function armsTable(
  runs: readonly Tabled[],
  options: { metrics: readonly string[]; choose: ValueChoice; nameArm: (arm: readonly Tabled[]) => string },
): ResultTable {
  const groups = arms(runs);
  const columns = options.metrics.map((metric) => {
    const intervals = groups.map((arm) => {
      const row = metricRows(arm, options.choose).find((one) => one.metric === metric);
      const finite =
        row?.values.filter((value): value is number => value !== undefined && Number.isFinite(value)) ?? [];
      return finite.length > 0 ? meanInterval(finite) : undefined;
    });
    return numberColumn(
      metric,
      intervals.map((interval) => interval?.mean),
      {
        spreads: intervals.map((interval) => interval && { plusMinus: interval.ci95, n: interval.n }),
        better: rankedBy(metric, runs),
      },
    );
  });
  const labels = { label: 'Configuration', cells: groups.map((arm) => options.nameArm(arm)) };
  return assemble('Means over seeds', [labels], options.metrics, columns);
}

/** One row a cell of a grid, in reading order. */
export function gridTable(grid: Grid, axisKeys: readonly string[], metric: string): ResultTable {
  const cells = grid.facets.flatMap((facet) => facet.cells.flat()).filter(({ state }) => state !== 'absent');
  const column = numberColumn(
    metric,
    cells.map(({ summary }) => summary?.mean),
    {
      spreads: cells.map(({ summary }) => (summary ? { plusMinus: summary.ci95, n: summary.n } : undefined)),
      better: grid.better,
    },
  );
  const keys = axisKeys.map((key) => ({ label: key, cells: cells.map(({ at }) => String(at[key] ?? '')) }));
  const states = { label: 'State', cells: cells.map(({ state }) => state as string) };
  return assemble(
    `${metricLabels([metric])(metric).label} by ${axisKeys.join(' and ')}`,
    [...keys, states],
    [metric],
    [column],
  );
}

type Ranking = ReturnType<typeof rankedBy>;

interface Spread {
  plusMinus: number | null;
  n: number;
}

function numberColumn(
  metric: string,
  values: readonly (number | undefined)[],
  { spreads = [], better }: { spreads?: readonly (Spread | undefined)[]; better: Ranking },
): ResultCell[] {
  const scaled = values.map((value) => (value === undefined ? undefined : tableValue(metric, value).value));
  const decimals = tableValue(metric, 0).unit === '%' ? 1 : decimalsFor(scaled);
  const best = bestShown(scaled, better, (value) => value.toFixed(decimals));
  return scaled.map((value, i): ResultCell => {
    if (value === undefined) return null;
    const spread = spreads[i];
    const half = spread?.plusMinus;
    return {
      value,
      decimals,
      best: best[i]!,
      ...(spread && half !== null && half !== undefined
        ? { spread: { plusMinus: tableValue(metric, half).value, n: spread.n } }
        : {}),
    };
  });
}

function assemble(
  title: string,
  texts: readonly { label: string; cells: readonly string[] }[],
  metrics: readonly string[],
  columns: readonly ResultCell[][],
): ResultTable {
  const count = texts[0]?.cells.length ?? 0;
  const labelOf = metricLabels(metrics);
  return {
    title,
    columns: [
      ...texts.map(({ label }) => ({ label, kind: 'text' as const })),
      ...metrics.map((metric) => metricColumn(metric, labelOf(metric))),
    ],
    rows: Array.from({ length: count }, (_, i) => [
      ...texts.map(({ cells }): ResultCell => ({ text: cells[i]! })),
      ...columns.map((column) => column[i] ?? null),
    ]),
  };
}

/** The head of a column of values, with their unit. */
export function metricColumn(metric: string, { label, title }: MetricLabel = metricInfo(metric)): ResultColumn {
  const unit = tableValue(metric, 0).unit || metricInfo(metric).unit;
  return { label: label + (unit ? ` (${unit})` : ''), ...(title === undefined ? {} : { title }), kind: 'number' };
}

/** Four significant digits of the largest value, the same number of decimals for the whole column. */
function decimalsFor(values: readonly (number | undefined)[]): number {
  const magnitudes = values.flatMap((v) => (v !== undefined && Number.isFinite(v) && v !== 0 ? [Math.abs(v)] : []));
  if (magnitudes.length === 0) return 0;
  return Math.min(8, Math.max(0, 3 - Math.floor(Math.log10(Math.max(...magnitudes)))));
}
