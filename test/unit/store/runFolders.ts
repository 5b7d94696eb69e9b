import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AttemptRecord, ProcessIdentity, RunRecord } from '../../../protocol/records.ts';

/** A process that can't be on this machine. */
export const elsewhere: ProcessIdentity = { pid: 4711, startTime: '99', hostname: 'another-host', bootId: 'another' };

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'simdino-store-'));
}

export function aRecord(id: string, changes: Partial<RunRecord> = {}): RunRecord {
  return {
    version: 1,
    id,
    createdAt: '2026-01-02T03:04:05.000Z',
    command: ['simdino', 'train', 'quickstart.yaml'],
    workingFolder: '/work',
    configSource: 'quickstart.yaml',
    seed: 0,
    method: 'simdino',
    git: null,
    environment: {
      studioVersion: '0.1.0',
      nodeVersion: 'v20.9.0',
      platform: 'linux',
      hostname: 'a-host',
      cpuModel: 'a processor',
      cpuCount: 2,
      memoryBytes: 2 ** 33,
      libraries: {},
    },
    parent: null,
    sweep: null,
    totalSteps: 100,
    stepsPerEpoch: 10,
    trainImages: 320,
    parameters: 1000,
    ...changes,
  };
}

export interface AttemptContents {
  resumedFrom?: AttemptRecord['resumedFrom'];
  process?: ProcessIdentity;
  metrics?: string;
  events?: object[];
  heartbeat?: string;
}

/** Writes a run folder; returns its path. */
export async function writeRun(
  runsFolder: string,
  id: string,
  attempts: AttemptContents[] = [],
  record: RunRecord | string = aRecord(id),
): Promise<string> {
  const folder = join(runsFolder, id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'run.json'), typeof record === 'string' ? record : JSON.stringify(record));
  for (const [i, attempt] of attempts.entries()) {
    const path = join(folder, 'attempts', String(i + 1).padStart(3, '0'));
    await mkdir(path, { recursive: true });
    const attemptRecord: AttemptRecord = {
      version: 1,
      index: i + 1,
      startedAt: '2026-01-02T03:04:06.000Z',
      process: attempt.process ?? elsewhere,
      engine: 'onnx',
      device: 'CPU',
      resumedFrom: attempt.resumedFrom ?? null,
    };
    await writeFile(join(path, 'attempt.json'), JSON.stringify(attemptRecord));
    await writeFile(join(path, 'metrics.jsonl'), attempt.metrics ?? '');
    await writeFile(
      join(path, 'events.jsonl'),
      (attempt.events ?? []).map((event) => JSON.stringify(event) + '\n').join(''),
    );
    await writeFile(join(path, 'heartbeat'), attempt.heartbeat ?? '1');
  }
  return folder;
}

/** Metric lines of the given steps, one a line. */
export function metricLines(from: number, to: number, loss: (step: number) => number = (step) => step): string {
  let text = '';
  for (let step = from; step <= to; step++) {
    text += JSON.stringify({ step, epoch: step / 10, time: 1000 + step, loss: loss(step) }) + '\n';
  }
  return text;
}
