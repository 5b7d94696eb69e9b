import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { BestValues } from './bestValues.ts';
import { EvaluationFeed, type EvaluationNews } from './evaluationSeries.ts';
import { readRunConfig } from './readRunConfig.ts';
import type { RunCollection } from './runCollection.ts';
import { shownState, type RunOverview } from './summariseRun.ts';
import type { TableProgress, TableRow } from '../../protocol/panelMessages.ts';
import type { JsonScalar } from '../../protocol/records.ts';
import { attemptFiles, isRunId } from '../../protocol/runFolder.ts';
import { runName } from '../runName.ts';
import { unreadableLines } from './tailJsonLines.ts';

/** What was read of a run beyond its overview. */
interface Details {
  values: BestValues;
  evaluations: EvaluationFeed;
  /** Last and best figures of evaluations after training, and what of them could not be read. */
  figures: Omit<EvaluationNews, 'series'>;
  config: Record<string, JsonScalar>;
  /** The overview that they were read for. */
  of: RunOverview;
}

/**
 * The table of all runs: at once from what the tree knows, then row by row with what takes reading - best values,
 * evaluations after training and configurations. Every metrics file is read through once.
 */
export class TableData {
  readonly #details = new Map<string, Details>();
  /** What each row was made of when it was sent. */
  readonly #sent = new Map<string, { run: RunOverview; details: Details | undefined; differing: number }>();
  /** How many keys are worth a column. */
  #differing = 0;
  /** Values seen of each configuration key; a key with several is worth a column. */
  readonly #keyValues = new Map<string, Set<JsonScalar | undefined>>();

  constructor(private readonly collection: RunCollection) {}

  get progress(): TableProgress {
    const { runs } = this.collection;
    let read = 0;
    for (const run of runs.values()) if (this.#details.get(run.id)?.of === run) read++;
    return { read, total: runs.size };
  }

  /** Every run as far as it is known. */
  snapshot(): TableRow[] {
    this.#sent.clear();
    return this.#changedRows();
  }

  /** Reads more of the runs for at most `budgetMs`; then what has changed since the last call. */
  async news(budgetMs: number): Promise<{ rows: TableRow[]; removed: string[] }> {
    const endMs = performance.now() + budgetMs;
    for (const run of this.collection.runs.values()) {
      if (performance.now() > endMs) break;
      if (this.#details.get(run.id)?.of !== run) await this.#read(run);
    }
    const removed = [...this.#sent.keys()].filter((id) => !this.collection.runs.has(id));
    for (const id of removed) {
      this.#sent.delete(id);
      this.#details.delete(id);
    }
    return { rows: this.#changedRows(), removed };
  }

  async #read(run: RunOverview): Promise<void> {
    const known = this.#details.get(run.id);
    const folder = join(this.collection.folder, run.id);
    const values = known?.values ?? new BestValues(folder);
    const evaluations = known?.evaluations ?? new EvaluationFeed(folder, run.id);
    // A configuration never changes; one that could not be read yet is tried again.
    const config = known && Object.keys(known.config).length > 0 ? known.config : await readRunConfig(run.folder);
    await values.read();
    const figures = await evaluations.read(0);
    this.#details.set(run.id, { values, evaluations, figures, config, of: run });
    if (config !== known?.config)
      for (const [key, value] of Object.entries(config)) {
        const seen = this.#keyValues.get(key);
        if (!seen) this.#keyValues.set(key, new Set([value]));
        else if (seen.size < 2 && seen.add(value).size === 2) this.#differing++;
      }
  }

  #changedRows(): TableRow[] {
    const rows: TableRow[] = [];
    for (const run of this.collection.runs.values()) {
      const details = this.#details.get(run.id);
      const sent = this.#sent.get(run.id);
      if (sent?.run === run && sent.details === details && sent.differing === this.#differing) continue;
      this.#sent.set(run.id, { run, details, differing: this.#differing });
      rows.push(this.#row(run, details));
    }
    return rows;
  }

  #row(run: RunOverview, details: Details | undefined): TableRow {
    const { id, record, annotations, latest } = run;
    const {
      step: _step,
      time: _time,
      epoch = 0,
      ...last
    } = { ...latest, ...details?.values.last, ...details?.figures.last };
    const differing = Object.entries(details?.config ?? {}).filter(
      ([key]) => (this.#keyValues.get(key)?.size ?? 0) > 1,
    );
    return {
      id,
      name: shortened(runName(run)),
      state: shownState(run),
      method: shortened(record?.method ?? ''),
      seed: record?.seed ?? 0,
      createdAtMs: Date.parse(record?.createdAt ?? '') || 0,
      epoch: Number.isFinite(epoch) ? epoch : 0,
      star: annotations.star ?? false,
      archived: annotations.archived ?? false,
      tags: (annotations.tags ?? []).map(shortened),
      notes: shortened(annotations.notes ?? ''),
      sweepId: record?.sweep && isRunId(record.sweep.id) ? record.sweep.id : null,
      last,
      best: { ...details?.values.best, ...details?.figures.best },
      config: Object.fromEntries(differing),
      problems: [
        ...run.problems,
        ...unreadableLines(attemptFiles.metrics, details?.values.faultyLines ?? 0),
        ...(details?.figures.problems ?? []),
      ].map(shortened),
    };
  }
}

function shortened(text: string): string {
  return text.length > 1000 ? `${text.slice(0, 999)}\u2026` : text;
}
