import { join } from 'node:path';
import { metricCatalogue, type MetricInfo } from '../../protocol/metrics.ts';
import type { MetricPoint } from '../../protocol/panelMessages.ts';
import { attemptFiles, attemptName, runFiles } from '../../protocol/runFolder.ts';
import { asMetricLine } from './parseJsonLine.ts';
import { readLineage } from './runMetrics.ts';
import { mergeAttempts, type AttemptLineage } from './mergeAttempts.ts';
import { JsonLinesTail } from './tailJsonLines.ts';

/**
 * The best values of a run's metrics, followed as they are written: every line is read once and no column is kept, so that a
 * table of a thousand runs needs little memory.
 */
export class BestValues {
  best: Record<string, MetricPoint> = {};
  /** The newest value of each metric; may be NaN. */
  last: Record<string, number> = {};
  /** Lines that were no JSON object or had no step. */
  faultyLines = 0;
  #stepless = 0;
  #plan = '';
  #tails: JsonLinesTail[] = [];

  constructor(readonly folder: string) {}

  async read(): Promise<void> {
    const lineage = await readLineage(this.folder);
    const plan = JSON.stringify(lineage);
    let replaced = plan !== this.#plan;
    if (!replaced) {
      await this.#tails.at(-1)?.read(() => {
        replaced = true;
      });
    }
    if (replaced) await this.#readAnew(plan, lineage);
    this.faultyLines = this.#stepless + this.#tails.reduce((sum, tail) => sum + tail.faultyLines, 0);
  }

  async #readAnew(plan: string, lineage: AttemptLineage[]): Promise<void> {
    this.#plan = plan;
    this.best = {};
    this.last = {};
    this.#tails = [];
    this.#stepless = 0;
    for (const { index, throughStep } of mergeAttempts(lineage)) {
      const path = join(this.folder, runFiles.attempts, attemptName(index), attemptFiles.metrics);
      const { best, last } = this;
      const tail = new JsonLinesTail(path, (json) => {
        // A tail that was given up for another may still hold lines.
        if (best !== this.best) return;
        const line = asMetricLine(json);
        if (line) take(line, throughStep, best, last);
        else this.#stepless++;
      });
      await tail.read();
      this.#tails.push(tail);
    }
  }
}

function take(
  line: Record<string, number>,
  throughStep: number,
  best: Record<string, MetricPoint>,
  last: Record<string, number>,
): void {
  const step = line['step'] as number;
  if (step > throughStep) return;
  for (const metric in line) {
    if (metric === 'step' || metric === 'epoch' || metric === 'time') continue;
    const value = line[metric] as number;
    last[metric] = value;
    const better = (metricCatalogue as Record<string, MetricInfo>)[metric]?.better;
    if (!better || !Number.isFinite(value)) continue;
    const known = best[metric];
    if (known && (better === 'higher' ? value <= known.value : value >= known.value)) continue;
    best[metric] = { value, step };
  }
}
