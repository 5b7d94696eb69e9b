import { join } from 'node:path';
import { attemptFiles, attemptName, runFiles } from '../../protocol/runFolder.ts';
import { MetricTable, type MetricRow } from '../metricTable.ts';
import { asAttemptRecord } from './checkRecords.ts';
import { mergeAttempts, type AttemptLineage } from './mergeAttempts.ts';
import { MetricLineReader } from './metricLineReader.ts';
import { asMetricLine } from './parseJsonLine.ts';
import { readJson } from './readJson.ts';
import { attemptIndices } from './summariseRun.ts';
import { JsonLinesTail } from './tailJsonLines.ts';

/** What one `read` changed in the table. */
export interface MetricsChange {
  /** The table was built anew (a first read, a new attempt, a replaced file); otherwise rows were only appended. */
  rebuilt: boolean;
  /** First row that is new. */
  from: number;
}

/**
 * The metrics of a run, over all its attempts, followed as they are written.
 *
 * Rows of earlier attempts past the step that a later one resumed from are left out (mergeAttempts.ts).
 */
export class RunMetrics {
  table = new MetricTable();
  /** Lines that were no JSON object or had no step, in the attempts that count. */
  faultyLines = 0;
  /** Steps at which one attempt took over from another. */
  resumedAtSteps: number[] = [];
  #tails: { index: number; tail: JsonLinesTail }[] = [];
  #plan = '';
  #stepless = 0;

  constructor(readonly folder: string) {}

  /** Brings the table up to date. */
  async read(): Promise<MetricsChange> {
    const lineage = await readLineage(this.folder);
    const plan = JSON.stringify(lineage);
    let rebuilt = plan !== this.#plan;
    let from = this.table.length;
    if (rebuilt) {
      this.#plan = plan;
      from = 0;
      await this.#rebuild(lineage);
    } else {
      // Only the last attempt is being written; an earlier one that changes anyway means that the table must be built anew.
      for (const { tail } of this.#tails.slice(-1)) {
        let replaced = false;
        await tail.read(() => {
          replaced = true;
        });
        if (replaced) {
          rebuilt = true;
          from = 0;
          await this.#rebuild(lineage);
        }
      }
    }
    this.faultyLines = this.#stepless + this.#tails.reduce((sum, { tail }) => sum + tail.faultyLines, 0);
    return { rebuilt, from };
  }

  async #rebuild(lineage: AttemptLineage[]): Promise<void> {
    const table = new MetricTable();
    this.table = table;
    this.#tails = [];
    this.#stepless = 0;
    const spans = mergeAttempts(lineage);
    this.resumedAtSteps = spans
      .slice(0, -1)
      .map(({ throughStep }) => throughStep)
      .filter(Number.isFinite);
    for (const { index, throughStep } of spans) {
      const recordKnown = lineage.find((attempt) => attempt.index === index)?.resumedFrom !== undefined;
      let first = true;
      const path = join(this.folder, runFiles.attempts, attemptName(index), attemptFiles.metrics);
      const take = (row: MetricRow): void => {
        if (table !== this.table || row.step > throughStep) return;
        // Without its record, an attempt is taken to have resumed from just before its first line.
        if (first && !recordKnown) table.dropPast(row.step - 1);
        first = false;
        table.append(row);
      };
      const reader = new MetricLineReader(take);
      const onLine = (json: Record<string, unknown>): void => {
        if (table !== this.table) return;
        const line = asMetricLine(json);
        if (!line) {
          this.#stepless++;
          return;
        }
        const names = Object.keys(line);
        reader.learn(names);
        take({ names, values: Object.values(line), step: line['step'] as number });
      };
      const tail = new JsonLinesTail(path, onLine, reader);
      await tail.read();
      this.#tails.push({ index, tail });
    }
  }
}

/** The metrics of a run as they are now. */
export async function readRunMetrics(folder: string): Promise<RunMetrics> {
  const metrics = new RunMetrics(folder);
  await metrics.read();
  return metrics;
}

/** Which attempts a run has, and where each one continues. */
export async function readLineage(folder: string): Promise<AttemptLineage[]> {
  const indices = await attemptIndices(folder);
  return Promise.all(
    indices.map(async (index): Promise<AttemptLineage> => {
      const file = await readJson(join(folder, runFiles.attempts, attemptName(index), attemptFiles.record));
      const record = file.kind === 'value' ? asAttemptRecord(file.value, index) : null;
      return { index, resumedFrom: record ? record.resumedFrom : undefined };
    }),
  );
}
