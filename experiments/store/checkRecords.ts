import {
  controlActions,
  recordVersion,
  type Annotations,
  type AttemptRecord,
  type CheckpointRecord,
  type ControlRequest,
  type EvaluationLine,
  type EventLine,
  type JsonScalar,
  type ProcessIdentity,
  type QueueEntryRecord,
  type QueueLimits,
  type RunRecord,
  type SweepRecord,
} from '../../protocol/records.ts';

/**
 * Makes records of whatever JSON a run folder holds.
 *
 * Folders may be written by hand, by half, by a newer version or by somebody hostile. A key of the wrong type counts as
 * absent and gets an empty value, so that a panel never meets a type that it was not made for; what is no object at all is
 * no record.
 */
export function asRunRecord(value: unknown, id: string): RunRecord | null {
  const json = asObject(value);
  if (!json) return null;
  const git = asObject(json['git']);
  const environment = asObject(json['environment']) ?? {};
  const parent = asObject(json['parent']);
  const sweep = asObject(json['sweep']);
  return {
    version: version(json),
    id,
    createdAt: text(json['createdAt']),
    command: texts(json['command']),
    workingFolder: text(json['workingFolder']),
    configSource: text(json['configSource']),
    seed: number(json['seed']),
    method: text(json['method']),
    git: git ? { commit: text(git['commit']), branch: textOrNull(git['branch']), dirty: git['dirty'] === true } : null,
    environment: {
      studioVersion: text(environment['studioVersion']),
      nodeVersion: text(environment['nodeVersion']),
      platform: text(environment['platform']),
      hostname: text(environment['hostname']),
      cpuModel: text(environment['cpuModel']),
      cpuCount: number(environment['cpuCount']),
      memoryBytes: number(environment['memoryBytes']),
      libraries: pick(environment['libraries'], (entry) => (typeof entry === 'string' ? entry : undefined)),
    },
    parent: parent && typeof parent['id'] === 'string' ? { id: parent['id'], step: number(parent['step']) } : null,
    sweep:
      sweep && typeof sweep['id'] === 'string'
        ? { id: sweep['id'], cell: pick(sweep['cell'], scalar), seed: number(sweep['seed']) }
        : null,
    totalSteps: number(json['totalSteps']),
    stepsPerEpoch: number(json['stepsPerEpoch']),
    trainImages: number(json['trainImages']),
    parameters: number(json['parameters']),
  };
}

export function asAttemptRecord(value: unknown, index: number): AttemptRecord | null {
  const json = asObject(value);
  if (!json) return null;
  const resumedFrom = asObject(json['resumedFrom']);
  return {
    version: version(json),
    index,
    startedAt: text(json['startedAt']),
    process: asProcessIdentity(json['process']),
    engine: text(json['engine']),
    device: text(json['device']),
    resumedFrom: resumedFrom ? { attempt: number(resumedFrom['attempt']), step: number(resumedFrom['step']) } : null,
  };
}

export function asProcessIdentity(value: unknown): ProcessIdentity {
  const json = asObject(value) ?? {};
  return {
    pid: number(json['pid']),
    startTime: text(json['startTime']),
    hostname: text(json['hostname']),
    bootId: text(json['bootId']),
  };
}

/** Annotations with only the keys that are set. */
export function asAnnotations(value: unknown): Annotations {
  const json = asObject(value) ?? {};
  return {
    ...(typeof json['name'] === 'string' ? { name: json['name'] } : {}),
    ...(typeof json['star'] === 'boolean' ? { star: json['star'] } : {}),
    ...(Array.isArray(json['tags']) ? { tags: texts(json['tags']) } : {}),
    ...(typeof json['notes'] === 'string' ? { notes: json['notes'] } : {}),
    ...(typeof json['archived'] === 'boolean' ? { archived: json['archived'] } : {}),
  };
}

export function asControlRequest(value: unknown): ControlRequest | null {
  const json = asObject(value);
  if (!json || typeof json['id'] !== 'string') return null;
  const action = controlActions.find((known) => known === json['action']);
  if (!action) return null;
  return { id: json['id'], action, by: text(json['by']), at: text(json['at']) };
}

export function asCheckpointRecord(value: unknown): CheckpointRecord | null {
  const json = asObject(value);
  if (!json) return null;
  return {
    version: version(json),
    step: number(json['step']),
    epoch: number(json['epoch']),
    createdAt: text(json['createdAt']),
    files: pick(json['files'], (entry) => {
      const file = asObject(entry);
      return file ? { bytes: number(file['bytes']), sha256: text(file['sha256']) } : undefined;
    }),
    metrics: pick(json['metrics'], (entry) => (Number.isFinite(entry) ? (entry as number) : undefined)),
  };
}

const eventTexts = {
  started: [],
  stopRequested: ['requestId', 'by'],
  checkpoint: ['name', 'reason'],
  checkpointDeleted: ['name'],
  warning: ['message'],
  faultyImage: ['image', 'reason'],
  finished: [],
  stopped: [],
  failed: ['code', 'message'],
} satisfies Record<EventLine['type'], string[]>;

/** An event; undefined for types that this version does not know. */
export function asEvent(json: Record<string, unknown>): EventLine | undefined {
  const type = json['type'];
  if (typeof type !== 'string' || !Object.hasOwn(eventTexts, type)) return undefined;
  const event: Record<string, unknown> = { type, time: number(json['time']), step: number(json['step']) };
  for (const key of eventTexts[type as EventLine['type']]) event[key] = text(json[key]);
  if (type === 'checkpoint') event['bytes'] = number(json['bytes']);
  if (type === 'stopped' && (json['reason'] === 'paused' || json['reason'] === 'cancelled'))
    event['reason'] = json['reason'];
  return event as EventLine;
}

export function asEvaluation(json: Record<string, unknown>): EvaluationLine | undefined {
  if (typeof json['evaluation'] !== 'string') return undefined;
  const line: EvaluationLine = {
    evaluation: json['evaluation'],
    step: number(json['step']),
    time: number(json['time']),
    split: text(json['split']),
  };
  for (const key in json) {
    const value = json[key];
    if (!(key in line) && (typeof value === 'number' || typeof value === 'string')) line[key] = value;
  }
  return line;
}

export function asSweepRecord(value: unknown, id: string): SweepRecord | null {
  const json = asObject(value);
  if (!json) return null;
  return {
    version: version(json),
    id,
    createdAt: text(json['createdAt']),
    base: text(json['base']),
    axes: objects(json['axes']).map((axis) => ({
      key: text(axis['key']),
      values: Array.isArray(axis['values']) ? axis['values'].filter(isScalar) : [],
    })),
    seeds: Array.isArray(json['seeds']) ? json['seeds'].filter((seed) => typeof seed === 'number') : [],
    cells: objects(json['cells']).map((cell) => ({
      runId: text(cell['runId']),
      cell: pick(cell['cell'], scalar),
      seed: number(cell['seed']),
    })),
    metric: text(json['metric']),
    goal: json['goal'] === 'minimise' ? 'minimise' : 'maximise',
    slots: number(json['slots']),
    ...(texts(json['devices']).length > 0 ? { devices: texts(json['devices']) } : {}),
  };
}

export function asQueueEntry(value: unknown, runId: string): QueueEntryRecord | null {
  const json = asObject(value);
  if (!json) return null;
  const parent = asObject(json['parent']);
  return {
    version: version(json),
    runId,
    createdAt: text(json['createdAt']),
    device: text(json['device']) || 'cpu',
    configSource: text(json['configSource']),
    workingFolder: text(json['workingFolder']),
    parent: parent && typeof parent['id'] === 'string' ? { id: parent['id'], step: number(parent['step']) } : null,
  };
}

/** Limits of devices: whole numbers from 0 on; what is none counts as absent. */
export function asQueueLimits(value: unknown): QueueLimits {
  return pick(value, (entry) =>
    Number.isSafeInteger(entry) && (entry as number) >= 0 ? (entry as number) : undefined,
  );
}

/** Where in the line somebody has put a queued run; undefined where nobody has. */
export function asRank(value: unknown): number | undefined {
  const rank = asObject(value)?.['rank'];
  return typeof rank === 'number' && Number.isFinite(rank) ? rank : undefined;
}

/** The sentence about a record that a newer version wrote; undefined when this version can read it. */
export function newerVersion(record: { version: number } | null): string | undefined {
  if (!record || record.version <= recordVersion) return undefined;
  return `it was written by a newer version (layout ${record.version}, this is ${recordVersion}); what this version knows is shown`;
}

function version(json: Record<string, unknown>): number {
  return number(json['version']);
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function objects(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(asObject).filter((entry) => entry !== null) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** A finite number: JSON can't say NaN, but 1e999 is read as Infinity. */
function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function isScalar(value: unknown): value is JsonScalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function scalar(value: unknown): JsonScalar | undefined {
  return isScalar(value) ? value : undefined;
}

/** The entries of an object for which `take` gives a value. */
function pick<T>(value: unknown, take: (entry: unknown) => T | undefined): Record<string, T> {
  const entries = Object.entries(asObject(value) ?? {})
    .map(([key, entry]) => [key, take(entry)] as const)
    .filter((entry): entry is readonly [string, T] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
