import { knownMetric, metricOn } from '../../protocol/metrics.ts';
import type { MetricPoint, Series } from '../../protocol/panelMessages.ts';
import type { EvaluationLine } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readJsonLines, unreadableLines } from './tailJsonLines.ts';
import { asEvaluation } from './checkRecords.ts';

/** The figures among an evaluation's values; the others say how they came about. */
const figure = /^(knnTop|linearTop|segmentation|pixelAccuracy|video|box|mask)/;
const ofSplit = /^(knnTop|linearTop)/;

export interface EvaluationNews {
  /** Whole series, for they are short; empty where nothing has changed. */
  series: Series[];
  last: Record<string, number>;
  best: Record<string, MetricPoint>;
  /** Sentences about what could not be read. */
  problems: string[];
}

/** Follows what evaluations after training wrote into `evals/`: figures by step, to be drawn beside the run's own metrics. */
export class EvaluationFeed {
  #seen = '';
  #news: EvaluationNews = { series: [], last: {}, best: {}, problems: [] };

  constructor(
    private readonly folder: string,
    private readonly runId: string,
  ) {}

  /** @param stepsPerEpoch 0 where it is not known */
  async read(stepsPerEpoch: number): Promise<EvaluationNews> {
    const files = await evaluationFiles(join(this.folder, runFiles.evaluations));
    const seen = files.map(({ path, bytes }) => `${path}:${bytes}`).join('\n');
    if (seen === this.#seen) return { ...this.#news, series: [] };
    this.#seen = seen;
    const lines: EvaluationLine[] = [];
    const problems: string[] = [];
    for (const { path } of files) {
      const read = await readJsonLines(path);
      lines.push(...read.lines.map(asEvaluation).filter((line) => line !== undefined));
      problems.push(...unreadableLines(`${runFiles.evaluations}/${basename(path)}`, read.faultyLines));
    }
    this.#news = { ...newsOf(lines, this.runId, stepsPerEpoch), problems };
    return this.#news;
  }

  /** Forgets what was handed over, so that the next `read` gives everything. */
  restart(): void {
    this.#seen = '';
  }
}

/** Of one figure at one step the newest value counts. What nothing could be said of (-1) is left out. */
function newsOf(
  lines: readonly EvaluationLine[],
  runId: string,
  stepsPerEpoch: number,
): Omit<EvaluationNews, 'problems'> {
  const points = new Map<string, Map<number, { time: number; value: number }>>();
  for (const { evaluation: _, step, time, split, data, ...values } of lines) {
    for (const [key, value] of Object.entries(values)) {
      if (typeof value !== 'number' || value === -1 || !figure.test(key)) continue;
      const own = ofSplit.test(key) ? `${split}${key[0]!.toUpperCase()}${key.slice(1)}` : key;
      const metric = data === undefined ? own : metricOn(own, data);
      const bySteps = points.get(metric) ?? new Map<number, { time: number; value: number }>();
      points.set(metric, bySteps);
      if ((bySteps.get(step)?.time ?? -Infinity) <= time) bySteps.set(step, { time, value });
    }
  }
  const news: Omit<EvaluationNews, 'problems'> = { series: [], last: {}, best: {} };
  for (const [metric, bySteps] of points) {
    const ordered = [...bySteps].sort(([a], [b]) => a - b);
    const column = (of: (point: (typeof ordered)[number]) => number) => Float64Array.from(ordered, of);
    news.series.push({
      runId,
      metric,
      from: 0,
      step: column(([step]) => step),
      epoch: column(([step]) => (stepsPerEpoch > 0 ? step / stepsPerEpoch : 0)),
      time: column(([, { time }]) => time),
      value: column(([, { value }]) => value),
    });
    news.last[metric] = ordered.at(-1)![1].value;
    const better = knownMetric(metric)?.better;
    if (!better) continue;
    const [step, { value }] = ordered.reduce((a, b) =>
      (better === 'higher' ? b[1].value > a[1].value : b[1].value < a[1].value) ? b : a,
    );
    news.best[metric] = { step, value };
  }
  return news;
}

async function evaluationFiles(folder: string): Promise<{ path: string; bytes: number }[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const paths = names.filter((name) => name.endsWith('.jsonl')).sort();
  return Promise.all(
    paths.map(async (name) => ({ path: join(folder, name), bytes: (await stat(join(folder, name))).size })),
  );
}
