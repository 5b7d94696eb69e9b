/**
 * The layout of a run folder: the contract between whoever trains and whoever looks.
 *
 * **Invariant:** every file has one writer and nothing is truncated. The trainer owns `run.json`, `config.yaml`,
 * `attempts/*` and `checkpoints/*`; whoever asks writes `request.json`; names and notes are in `annotations.json`;
 * each later evaluation writes a file of its own in `evals/`.
 */
export const runFiles = {
  config: 'config.yaml',
  record: 'run.json',
  annotations: 'annotations.json',
  request: 'request.json',
  /** Jobs of a cluster that the run was given to, a line for each; only there where it was. */
  jobs: 'jobs.jsonl',
  dirtyDiff: 'dirty.diff',
  attempts: 'attempts',
  checkpoints: 'checkpoints',
  evaluations: 'evals',
  artifacts: 'artifacts',
} as const;

/** Files of one attempt: every start of a run opens a new one. */
export const attemptFiles = {
  record: 'attempt.json',
  metrics: 'metrics.jsonl',
  events: 'events.jsonl',
  log: 'log.txt',
  heartbeat: 'heartbeat',
} as const;

/** Sweeps live beside the runs, in `<runs>/sweeps/<id>/`. */
export const sweepsFolder = 'sweeps';
export const sweepFiles = {
  config: 'sweep.yaml',
  /** One resolved configuration a cell, by run name, as they were when the sweep was made. */
  cells: 'cells',
  record: 'sweep.json',
  request: 'request.json',
  attempts: 'attempts',
} as const;

/** What a detached process prints before its run folder is there, in `<runs>/.launch/<id>.log`. */
export const launchFolder = '.launch';

/**
 * Runs that wait for a device, in `<runs>/.queue/`. Whoever takes an entry, to launch it or to cancel it, makes its `taken`
 * folder first, which only one can; `rank.json` is its place in the line, written by people alone.
 */
export const queueFolder = '.queue';
export const queueFiles = {
  entries: 'entries',
  record: 'entry.json',
  config: 'config.yaml',
  rank: 'rank.json',
  taken: 'taken',
  /** In `taken`: the process that took it. */
  taker: 'taker.json',
  /** In `taken`: how a start that made no run folder ended. */
  failure: 'failure.json',
  limits: 'limits.json',
  /** A folder of attempts, as a sweep has one. */
  scheduler: 'scheduler',
} as const;

/** How often the trainer advances its heartbeat counter. */
export const heartbeatIntervalMs = 1000;
/** A counter unchanged for this long on the viewer's own monotonic clock means `stale`. */
export const staleAfterMs = 30_000;

/** `attemptName(1)` is `001`. */
export function attemptName(index: number): string {
  return String(index).padStart(3, '0');
}

/** `checkpointName(900)` is `step-000900`; sorting by name sorts by step up to a million steps. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(6, '0')}`;
}

/** The step of a checkpoint folder's name, or undefined when the name is not one. */
export function checkpointStep(name: string): number | undefined {
  const match = /^step-(\d{6,})$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** Names of runs and sweeps: what every file system and URL takes; no separators, so that `..` can't leave the folder. */
export function isRunId(id: string): boolean {
  return /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,127}$/u.test(id) && id !== sweepsFolder && !id.includes('..');
}
