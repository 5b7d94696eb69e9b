import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { metricCatalogue, type MetricInfo } from '../../protocol/metrics.ts';
import type { MetricPoint, RunSummary, Series } from '../../protocol/panelMessages.ts';
import type { JsonScalar } from '../../protocol/records.ts';
import { attemptFiles, checkpointStep, isRunId, runFiles } from '../../protocol/runFolder.ts';
import { recentMsPerStep, remainingMs } from '../pace.ts';
import { EvaluationFeed } from './evaluationSeries.ts';
import type { LivenessWatch } from './liveness.ts';
import { codingRateCollapsedOf, readRunConfig } from './readRunConfig.ts';
import { RunMetrics } from './runMetrics.ts';
import { shownState, summariseRun, type RunOverview } from './summariseRun.ts';
import { isMissing, unreadableLines } from './tailJsonLines.ts';

/** What a panel or a report shows of a run. */
export interface RunNews {
  summary: RunSummary;
  /** Columns that grew since the last call, from where they grew; all of them on the first call. */
  series: Series[];
}

/** Follows one run for a panel: summary and curves, first whole, then by what was added. */
export class RunFeed {
  readonly metrics: RunMetrics;
  readonly #evaluations: EvaluationFeed;
  #sent = new Map<string, number>();
  #best = new Map<string, { points: number; best: MetricPoint | undefined }>();
  #config: Record<string, JsonScalar> = {};

  constructor(
    readonly folder: string,
    readonly id: string,
    private readonly watch: LivenessWatch,
  ) {
    this.metrics = new RunMetrics(folder);
    this.#evaluations = new EvaluationFeed(folder, id);
  }

  /** Reads what is new. `nowMs` is Unix time. */
  async read(nowMs: number): Promise<RunNews> {
    const isConfigKnown = Object.keys(this.#config).length > 0;
    const [{ rebuilt }, config, overview, checkpointSteps] = await Promise.all([
      this.metrics.read(),
      isConfigKnown ? this.#config : readRunConfig(this.folder),
      summariseRun(this.folder, this.id, this.watch, nowMs),
      checkpointStepsOf(this.folder),
    ]);
    if (rebuilt) {
      this.#sent.clear();
      this.#best.clear();
    }
    this.#config = config;
    const evaluated = await this.#evaluations.read(overview.record?.stepsPerEpoch ?? 0);
    const summary = this.#summary(overview, checkpointSteps);
    return {
      summary: {
        ...summary,
        last: { ...summary.last, ...evaluated.last },
        best: { ...summary.best, ...evaluated.best },
        problems: [
          ...overview.problems,
          ...unreadableLines(attemptFiles.metrics, this.metrics.faultyLines),
          ...evaluated.problems,
        ].map(shortened),
      },
      series: [...this.#newSeries(), ...evaluated.series],
    };
  }

  /** Forgets what was handed over, so that the next `read` gives everything. */
  restart(): void {
    this.#sent.clear();
    this.#evaluations.restart();
  }

  #newSeries(): Series[] {
    const { table } = this.metrics;
    const series: Series[] = [];
    // Metrics that are logged on the same lines share their x columns: they are copied and sent once.
    const shared: { rows: Uint32Array; x: Pick<Series, 'step' | 'epoch' | 'time'> }[] = [];
    for (const metric of table.names) {
      const { rows, values } = table.series(metric);
      const from = this.#sent.get(metric) ?? 0;
      if (from === values.length && from > 0) continue;
      const newRows = rows.subarray(from);
      let x = shared.find((known) => isSame(known.rows, newRows))?.x;
      if (!x) {
        x = { step: at(newRows, table.step), epoch: at(newRows, table.epoch), time: at(newRows, table.time) };
        shared.push({ rows: newRows, x });
      }
      series.push({ runId: this.id, metric, from, ...x, value: values.slice(from) });
      this.#sent.set(metric, values.length);
    }
    return series;
  }

  #summary(overview: RunOverview, checkpointSteps: number[]): Omit<RunSummary, 'problems'> {
    const { record, annotations, lastAttempt, outcome, state } = overview;
    const { table } = this.metrics;
    const step = wholeStep(table.length > 0 ? table.step[table.length - 1] : overview.latest['step']);
    const totalSteps = wholeStep(record?.totalSteps);
    const stepsPerEpoch = record?.stepsPerEpoch ?? 0;
    const lastTime = table.time[table.length - 1];
    const msPerStep = recentMsPerStep(table.step, table.time);
    const sweep = record?.sweep ?? null;
    const parent = record?.parent ?? null;
    // A line need not say its epoch.
    const lastEpoch = table.epoch.findLast((epoch) => Number.isFinite(epoch)) ?? 0;
    return {
      id: this.id,
      name: shortened(annotations.name?.trim() || this.id),
      state: shownState(overview),
      method: shortened(record?.method ?? ''),
      seed: record?.seed ?? 0,
      step,
      totalSteps,
      epoch: lastEpoch,
      stepsPerEpoch,
      createdAtMs: orNull(Date.parse(record?.createdAt ?? '')) ?? 0,
      updatedAtMs: orNull(lastTime),
      etaMs: state === 'running' ? remainingMs(step, totalSteps, msPerStep) : null,
      engine: lastAttempt ? shortened(lastAttempt.engine) : null,
      device: lastAttempt ? shortened(lastAttempt.device) : null,
      configSource: shortened(record?.configSource ?? ''),
      config: this.#config,
      last: this.#lastValues(),
      best: this.#bestValues(),
      git: record?.git ?? null,
      sweep: sweep && isRunId(sweep.id) ? sweep : null,
      parent: parent && isRunId(parent.id) ? parent : null,
      resumedAtSteps: this.metrics.resumedAtSteps,
      checkpointSteps,
      codingRateCollapsed: codingRateCollapsedOf(this.#config),
      failure: outcome?.type === 'failed' ? shortened(outcome.message) : null,
      star: annotations.star ?? false,
      tags: (annotations.tags ?? []).map(shortened),
    };
  }

  #lastValues(): Record<string, number> {
    const { table } = this.metrics;
    return Object.fromEntries(table.names.map((name) => [name, table.latest(name)?.value ?? Number.NaN]));
  }

  /** The best finite values, looked for among the new points only. */
  #bestValues(): Record<string, MetricPoint> {
    const { table } = this.metrics;
    const result: Record<string, MetricPoint> = {};
    for (const name of table.names) {
      const better = (metricCatalogue as Record<string, MetricInfo>)[name]?.better;
      if (!better) continue;
      const { rows, values } = table.series(name);
      let { points, best } = this.#best.get(name) ?? { points: 0, best: undefined };
      for (; points < values.length; points++) {
        const value = values[points] as number;
        if (!Number.isFinite(value)) continue;
        if (best && (better === 'higher' ? value <= best.value : value >= best.value)) continue;
        best = { value, step: table.step[rows[points] as number] as number };
      }
      this.#best.set(name, { points, best });
      if (best) result[name] = best;
    }
    return result;
  }
}

/** The values of a column at some of its rows. */
function at(rows: Uint32Array, column: Float64Array): Float64Array {
  const values = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = column[rows[i] as number] as number;
  return values;
}

function isSame(a: Uint32Array, b: Uint32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

async function checkpointStepsOf(folder: string): Promise<number[]> {
  try {
    const names = await readdir(join(folder, runFiles.checkpoints));
    return names
      .map(checkpointStep)
      .filter((step) => step !== undefined)
      .sort((a, b) => a - b);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Texts that people or strangers wrote, at a length that panels take. */
function shortened(text: string): string {
  return text.length > 1000 ? `${text.slice(0, 999)}\u2026` : text;
}

function wholeStep(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value)
    ? Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(value)))
    : 0;
}

function orNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
