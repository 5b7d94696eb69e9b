import type { RunSummary, TableRow } from '../protocol/panelMessages.ts';
import type { JsonScalar } from '../protocol/records.ts';

/** Runs as lines of the table of runs, with the keys on which they differ. */
export function rowsOfSummaries(runs: readonly RunSummary[]): TableRow[] {
  const values = new Map<string, Set<JsonScalar | undefined>>();
  for (const key of new Set(runs.flatMap(({ config }) => Object.keys(config))))
    values.set(key, new Set(runs.map(({ config }) => config[key])));
  return runs.map((run): TableRow => ({
    id: run.id,
    name: run.name,
    state: run.state,
    method: run.method,
    seed: run.seed,
    createdAtMs: run.createdAtMs,
    epoch: run.epoch,
    star: run.star,
    archived: false,
    tags: run.tags,
    notes: '',
    sweepId: run.sweep?.id ?? null,
    last: run.last,
    best: run.best,
    config: Object.fromEntries(Object.entries(run.config).filter(([key]) => (values.get(key)?.size ?? 0) > 1)),
    problems: run.problems,
  }));
}
