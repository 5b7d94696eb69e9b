/** Record types of the files in a run folder. All are plain JSON; readers ignore keys that they do not know. */

/** Version of the layout; a reader that meets a larger one says so and shows what it can. */
export const recordVersion = 1;

/** `run.json`: written once when the run is created, never changed. */
export interface RunRecord {
  version: number;
  id: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  /** The command line that made the run. */
  command: string[];
  workingFolder: string;
  /** Where the configuration came from, as given. */
  configSource: string;
  seed: number;
  method: string;
  git: GitRecord | null;
  environment: EnvironmentRecord;
  /** Set on a run that was started from another: resumed elsewhere or forked with changes. */
  parent: { id: string; step: number } | null;
  /** Set on a cell of a sweep; `cell` maps dotted configuration keys to this cell's values. */
  sweep: { id: string; cell: Record<string, JsonScalar>; seed: number } | null;
  /** Steps the run will take in all, and per epoch. */
  totalSteps: number;
  stepsPerEpoch: number;
  /** Images in the training set; 0 for an imported log whose configuration is not known. */
  trainImages: number;
  /** Trainable parameters of the student, projector included. */
  parameters: number;
}

/** In place of the studio's version in the record of a run that was made of somebody else's log. */
export const importedVersion = 'imported';

/** Whether a run was made of somebody else's log: it has curves and no network, and nothing may be added to it. */
export function isImportedLog({ environment }: Pick<RunRecord, 'environment'>): boolean {
  return environment.studioVersion === importedVersion;
}

export type JsonScalar = string | number | boolean | null;

export interface GitRecord {
  commit: string;
  branch: string | null;
  dirty: boolean;
}

export interface EnvironmentRecord {
  /** `importedVersion` for a log that was imported. */
  studioVersion: string;
  nodeVersion: string;
  platform: string;
  hostname: string;
  cpuModel: string;
  cpuCount: number;
  memoryBytes: number;
  /** Versions of the libraries that decide numbers. */
  libraries: Record<string, string>;
}

/** `attempts/NNN/attempt.json`: written once when an attempt opens. */
export interface AttemptRecord {
  version: number;
  index: number;
  startedAt: string;
  /** The process that trains. `startTime` is the kernel's start time of the process, so that a reused pid is not taken for it. */
  process: ProcessIdentity;
  engine: string;
  device: string;
  /** Where this attempt continues; null on the first. Lines of earlier attempts past `step` are superseded. */
  resumedFrom: { attempt: number; step: number } | null;
}

export interface ProcessIdentity {
  pid: number;
  startTime: string;
  hostname: string;
  /** Identifies the boot of the host; empty where the system has none. */
  bootId: string;
}

/** One line of `metrics.jsonl`. Numbers that JSON can't say are the strings "NaN", "Infinity" and "-Infinity". */
export interface MetricLine {
  step: number;
  /** Fractional epoch after the step. */
  epoch: number;
  /** Unix time in ms. */
  time: number;
  [metric: string]: number | string;
}

/** One line of `events.jsonl`. */
export type EventLine = { time: number; step: number } & (
  | { type: 'started' }
  | { type: 'stopRequested'; requestId: string; by: string }
  | { type: 'checkpoint'; name: string; bytes: number; reason: 'interval' | 'requested' | 'stop' | 'end' }
  | { type: 'checkpointDeleted'; name: string }
  | { type: 'warning'; message: string }
  | { type: 'faultyImage'; image: string; reason: string }
  | { type: 'finished' }
  /** A scheduler says whether it was paused (its cells went on to their end) or cancelled. */
  | { type: 'stopped'; reason?: 'paused' | 'cancelled' }
  | { type: 'failed'; code: string; message: string }
);

/** What a trainer takes, and what schedulers of sweeps and of the queue take. */
export const controlActions = ['stop', 'checkpoint', 'pause', 'continue'] as const;

/**
 * `request.json`: the last thing asked of a trainer (`stop`, `checkpoint`) or a scheduler (`stop`: with its runs; `pause`:
 * launch nothing more; `continue`). A new `id` is a new request.
 */
export interface ControlRequest {
  id: string;
  action: (typeof controlActions)[number];
  /** Who asked: tool, host and pid, for the log. */
  by: string;
  at: string;
}

/** One line of `jobs.jsonl`: the run was given to a cluster. */
export interface JobRecord {
  scheduler: 'slurm';
  /** The job's number, with the task's where it is one of an array: `17` or `17_3`. */
  job: string;
  submittedAt: string;
  /** Who submitted: tool, host and pid. */
  by: string;
}

/** `annotations.json`: what people say about a run. */
export interface Annotations {
  name?: string;
  star?: boolean;
  tags?: string[];
  notes?: string;
  archived?: boolean;
}

/** `checkpoints/step-NNNNNN/checkpoint.json`, written last: a folder without it is not a checkpoint. */
export interface CheckpointRecord {
  version: number;
  step: number;
  epoch: number;
  createdAt: string;
  /** SHA-256 of each file of the checkpoint. */
  files: Record<string, { bytes: number; sha256: string }>;
  metrics: Record<string, number>;
}

/** One line of `evals/<id>.jsonl`. */
export interface EvaluationLine {
  evaluation: string;
  step: number;
  time: number;
  split: string;
  /** Absolute path of the data, or their kind where they have none; absent for the run's own. */
  data?: string;
  [metric: string]: number | string | undefined;
}

/** `sweeps/<id>/sweep.json`, written once when the sweep is created. */
export interface SweepRecord {
  version: number;
  id: string;
  createdAt: string;
  /** Path of the base configuration as given. */
  base: string;
  /** Axes in the order of the file; `seeds` is apart. */
  axes: { key: string; values: JsonScalar[] }[];
  seeds: number[];
  /** One entry a run, in the order of launching. */
  cells: { runId: string; cell: Record<string, JsonScalar>; seed: number }[];
  metric: string;
  goal: 'maximise' | 'minimise';
  slots: number;
  /** GPUs that runs are spread over, slot by slot; absent: each run sees all. */
  devices?: string[];
}

/** What the scheduler of a sweep is doing; `cancelled` and `paused` when it ended before all cells were done. */
export const schedulerStates = [
  'running',
  'pausing',
  'paused',
  'cancelled',
  /** Its process is gone without having said why. */
  'lost',
  /** Nothing is heard of it, and nobody can tell that it has ended: it is another host's, or a cluster's that can't be asked. */
  'silent',
  /** It has ended, or there never was one. */
  'idle',
] as const;
export type SchedulerState = (typeof schedulerStates)[number];

/** `.queue/entries/<run>/entry.json`, written once when the run is queued; its configuration lies beside it, resolved. */
export interface QueueEntryRecord {
  version: number;
  runId: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  /** What is counted against a limit: `cpu`, `gpu`, or a name of one's own. */
  device: string;
  /** Where the configuration came from, as given. */
  configSource: string;
  workingFolder: string;
  parent: RunRecord['parent'];
}

/** `.queue/limits.json`: how many runs may train on a device at the same time; one where it says nothing. */
export type QueueLimits = Record<string, number>;

/** What a run is doing, derived, never stored. */
export const runStates = [
  'queued',
  'starting',
  'running',
  'stopping',
  'finished',
  'stopped',
  'failed',
  /** Its process is gone without having said why. */
  'crashed',
  /** Out of reach (another host) and silent: nothing is known. */
  'stale',
] as const;
export type RunState = (typeof runStates)[number];
