import { join } from 'node:path';
import { differingKeys } from '../../experiments/compare.ts';
import { armsTable, gridTable } from '../../experiments/comparisonTable.ts';
import { figureSvg } from '../../experiments/figureSvg.ts';
import { aggregateGrid, type Grid, type GridCell } from '../../experiments/grid.ts';
import { heatMapSvg } from '../../experiments/heatMapSvg.ts';
import { arms } from '../../experiments/honesty.ts';
import { metricLabels } from '../../experiments/metricLabels.ts';
import type { PaperManifest } from '../../experiments/paperManifest.ts';
import { settledValue } from '../../experiments/settledValue.ts';
import { isActive } from '../../experiments/status.ts';
import { LivenessWatch } from '../../experiments/store/liveness.ts';
import { RunFeed, type RunNews } from '../../experiments/store/runFeed.ts';
import { toCsv, toLatex, toMarkdown, type ResultTable } from '../../experiments/tables.ts';
import { errors } from '../../protocol/errors.ts';
import { knownMetric, metricMeant } from '../../protocol/metrics.ts';
import type { RunSummary } from '../../protocol/panelMessages.ts';
import { isRunId } from '../../protocol/runFolder.ts';
import { readSweepRecord } from '../sweep/createSweep.ts';

/** What decides a paper's table: nothing else does, so that the same runs give the same bytes. */
export type PaperPlan = Pick<PaperManifest, 'title' | 'sweepId' | 'metrics' | 'choose'> & { runIds: readonly string[] };

/** Of runs, where none are asked for: a run without labels has no accuracy, which its table shows. */
export const usualMetrics = ['knnTop1', 'loss'];

export interface PaperTables {
  texts: Record<string, string>;
  /** The plan's by their whole names, see `metricMeant`. */
  metrics: string[];
  problems: { id: string; problems: readonly string[] }[];
}

/**
 * The table of some runs or of a sweep, and its figure, computed from the raw metrics of the run folders.
 *
 * @returns texts by file name, and what of the runs could not be read
 * @throws usage when a run is missing or still trains, or no run has a metric that was asked for
 */
export async function paperTables(runsFolder: string, plan: PaperPlan): Promise<PaperTables> {
  const watch = new LivenessWatch();
  const news = await Promise.all(
    plan.runIds.map(async (id) => {
      if (!isRunId(id)) throw errors.runMissing(id, runsFolder);
      return new RunFeed(join(runsFolder, id), id, watch).read(0);
    }),
  );
  for (const { summary } of news)
    if (isActive(summary.state)) throw errors.usage(`Run '${summary.id}' still trains; its numbers would change.`);
  const known = [...new Set(news.flatMap(({ summary }) => Object.keys(summary.last)))].sort();
  const metrics = plan.metrics.map((metric) => {
    const meant = metricMeant(metric, known);
    if (meant === undefined && plan.sweepId === null && !usualMetrics.includes(metric))
      throw errors.usage(`No run has '${metric}'; there are ${known.join(', ')}.`);
    return meant ?? metric;
  });
  const meant = { ...plan, metrics };
  const { table, figure } =
    plan.sweepId === null ? ofRuns(news, meant) : ofSweep(runsFolder, plan.sweepId, news, meant);
  return {
    texts: {
      'table.md': toMarkdown(table),
      'table.tex': toLatex(table),
      'table.csv': toCsv(table),
      'figure.svg': figure,
    },
    metrics,
    problems: news.map(({ summary: { id, problems } }) => ({ id, problems })),
  };
}

function ofSweep(
  runsFolder: string,
  sweepId: string,
  news: readonly RunNews[],
  { title, metrics, choose }: PaperPlan,
): { table: ResultTable; figure: string } {
  const sweep = readSweepRecord(runsFolder, sweepId);
  const [metric = sweep.metric] = metrics;
  const [first, second] = [...sweep.axes].sort((a, b) => b.values.length - a.values.length);
  const info = knownMetric(metric);
  const goal =
    metric === sweep.metric || !info?.better ? sweep.goal : info.better === 'lower' ? 'minimise' : 'maximise';
  const grid = aggregateGrid(
    { sweep, runs: news.map(({ summary }) => summary) },
    { rowKey: second?.key ?? null, columnKey: first?.key ?? null, metric, goal, choose },
  );
  const table = gridTable(
    grid,
    sweep.axes.map(({ key }) => key),
    metric,
  );
  const { svg } = heatMapSvg({ grid, title, metric, colours: (cell) => shade(cell, grid, goal) });
  return { table: { ...table, title }, figure: svg };
}

function ofRuns(
  news: readonly RunNews[],
  { title, metrics, choose }: PaperPlan,
): { table: ResultTable; figure: string } {
  // Names may change; ids do not. With `last`, what a curve settled at: the newest line of a log is one batch.
  const runs = news.map(({ summary, series }): RunSummary => ({
    ...summary,
    name: summary.id,
    last: Object.fromEntries(
      series.map(({ metric, value }) => [metric, settledValue(value) ?? summary.last[metric] ?? Number.NaN]),
    ),
  }));
  const heads = arms(runs).map((arm) => arm[0] as RunSummary);
  const keys = differingKeys(heads, 0).filter(({ key }) => key !== 'seed' && !key.startsWith('runtime.'));
  const nameArm = (arm: readonly Pick<RunSummary, 'config' | 'id'>[]): string =>
    keys.map(({ key }) => `${key} ${String(arm[0]?.config[key] ?? 'not set')}`).join(', ') || (arm[0]?.id ?? '');
  const table = armsTable(runs, { metrics, choose, nameArm: (arm) => nameArm(arm) });
  const [metric = 'loss'] = metrics;
  const lines = news.flatMap(({ summary, series }, i) => {
    const one = series.find((candidate) => candidate.metric === metric);
    if (!one) return [];
    const label = `${nameArm([summary])}, seed ${summary.seed}`;
    return [
      {
        label,
        colour: hues[i % hues.length] as string,
        dashed: i >= hues.length,
        x: [...one.epoch],
        y: [...one.value],
      },
    ];
  });
  const figure = figureSvg({
    title,
    xLabel: 'Epoch',
    yLabel: metricLabels([metric])(metric).label,
    logarithmicY: false,
    lines,
    widthPx: 720,
    heightPx: 420,
  });
  return { table: { ...table, title }, figure };
}

const hues = ['#1f77b4', '#d95f02', '#2ca02c', '#9467bd', '#d62728', '#8c6d31', '#17becf', '#e377c2'];

/** One hue from light to dark, better values darker: it survives a copier. */
function shade(cell: GridCell, { range }: Grid, goal: 'maximise' | 'minimise'): { fill: string; text: string } {
  const { low, high } = range ?? { low: 0, high: 0 };
  const share = high > low ? ((cell.summary?.mean ?? low) - low) / (high - low) : 0.5;
  const depth = goal === 'maximise' ? share : 1 - share;
  const mix = (light: number, dark: number) => Math.round(light + (dark - light) * depth);
  return { fill: `rgb(${mix(232, 8)}, ${mix(241, 69)}, ${mix(250, 148)})`, text: depth > 0.5 ? '#fff' : '#1a1a1a' };
}
