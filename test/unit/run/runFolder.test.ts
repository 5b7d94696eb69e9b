import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { currentProcess } from '../../../experiments/store/processIdentity.ts';
import { recordVersion, type ControlRequest, type RunRecord } from '../../../protocol/records.ts';
import { jsonLine } from '../../../runtime/run/appendLines.ts';
import { startHeartbeat } from '../../../runtime/run/heartbeat.ts';
import { watchRequests } from '../../../runtime/run/control.ts';
import { writeRequest } from '../../../experiments/store/controlRequest.ts';
import { createRunFolder, openAttempt } from '../../../runtime/run/runFolder.ts';
import { readConfigFile } from '../../../runtime/configFile.ts';
import { createRun } from '../../../runtime/run/openRun.ts';
import { newRunId } from '../../../runtime/run/runId.ts';

let runs: string;
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'runs-'));
});
afterEach(() => rmSync(runs, { recursive: true, force: true }));

const record = (id: string) => ({ version: recordVersion, id, totalSteps: 10 }) as RunRecord;
const create = (id = 'a') => createRunFolder(runs, record(id), { config: 'seed: 0\n', dirtyDiff: null });
const start = (folder: string) =>
  openAttempt(folder, {
    startedAt: '2026-01-01T00:00:00Z',
    process: currentProcess(),
    engine: 'onnx',
    device: 'CPU',
    resumedFrom: null,
    now: () => 1000,
  });

describe('a run folder', () => {
  test('is claimed once', () => {
    create();
    expect(() => create()).toThrow(/is in use: a run of that name is there\. Stop that run first/);
  });

  test.each(['../a', 'a/b', '.hidden', '', 'sweeps', 'a..b'])('is not made for the name %j', (id) => {
    expect(() => create(id)).toThrow(/is not a run name/);
  });

  test('takes names in any script', () => {
    expect(existsSync(join(create('опыт-η1-試験'), 'run.json'))).toBe(true);
  });

  test('that can\u2019t be written says so', () => {
    writeFileSync(join(runs, 'file'), '');
    expect(() => createRunFolder(join(runs, 'file', 'deeper'), record('a'), { config: '', dirtyDiff: null })).toThrow(
      /can't be written: ENOTDIR/,
    );
  });
});

describe('an attempt', () => {
  test('is refused while another trains, and numbered when it does not', async () => {
    const folder = create();
    const first = await start(folder);
    await expect(start(folder)).rejects.toThrow(/is in use: process \d+ on .* is training in it/);
    await first.close();
    const gone = { ...currentProcess(), startTime: '1' };
    writeFileSync(join(folder, 'attempts', '001', 'attempt.json'), JSON.stringify({ ...first.record, process: gone }));
    const second = await start(folder);
    expect(second.record.index).toBe(2);
    await second.close();
  });

  test('is one of two that start at the same moment', async () => {
    const folder = create();
    const ended = await start(folder);
    await ended.close();
    const gone = { ...currentProcess(), startTime: '1' };
    writeFileSync(join(folder, 'attempts', '001', 'attempt.json'), JSON.stringify({ ...ended.record, process: gone }));
    const both = await Promise.allSettled([start(folder), start(folder)]);
    const opened = both.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(opened.map(({ record: { index } }) => index)).toEqual([2]);
    const refused = both.find((result) => result.status === 'rejected');
    expect(String(refused?.reason)).toMatch(/another start opened an attempt at the same moment/);
    await opened[0]!.close();
  });

  test('follows one that was killed before its record was whole', async () => {
    const folder = create();
    mkdirSync(join(folder, 'attempts', '001'));
    writeFileSync(join(folder, 'attempts', '001', 'attempt.json'), '{"version": 1, "ind');
    const attempt = await start(folder);
    expect(attempt.record.index).toBe(2);
    await attempt.close();
  });

  test('ends in order where its heartbeat could not be written', async () => {
    const folder = create();
    const attempt = await start(folder);
    await attempt.close();
    mkdirSync(join(runs, 'a-folder'));
    const heartbeat = startHeartbeat(join(runs, 'a-folder'));
    await sleep(300);
    expect((await heartbeat.stop())?.message).toMatch(/EISDIR/);
  });

  test('appends whole lines with words for what JSON has no number for', async () => {
    const attempt = await start(create());
    attempt.metric({ step: 1, epoch: 0.5, time: 0, loss: Number.NaN, lr: Infinity });
    attempt.event(1, { type: 'started' });
    await attempt.close();
    expect(readFileSync(join(attempt.folder, 'metrics.jsonl'), 'utf8')).toBe(
      '{"step":1,"epoch":0.5,"time":0,"loss":"NaN","lr":"Infinity"}\n',
    );
    expect(readFileSync(join(attempt.folder, 'events.jsonl'), 'utf8')).toBe(
      '{"time":1000,"step":1,"type":"started"}\n',
    );
    expect(JSON.parse(jsonLine({ a: -Infinity }))).toEqual({ a: '-Infinity' });
  });

  test('beats while its thread is busy', async () => {
    const attempt = await start(create());
    const counter = () => Number(readFileSync(join(attempt.folder, 'heartbeat'), 'utf8'));
    await sleep(300);
    const before = counter();
    const until = performance.now() + 2500;
    while (performance.now() < until);
    expect(counter()).toBeGreaterThan(before);
    await attempt.close();
  });
});

describe('requests', () => {
  test('that are older than the watch are passed over, new ones arrive once', async () => {
    const folder = create();
    await writeRequest(folder, 'stop', 'test');
    const seen: ControlRequest[] = [];
    const watch = watchRequests(folder, (request) => seen.push(request), { intervalMs: 10 });
    await sleep(60);
    expect(seen).toEqual([]);
    const { id } = await writeRequest(folder, 'checkpoint', 'test');
    await expect.poll(() => seen.map((request) => request.id)).toEqual([id]);
    writeFileSync(join(folder, 'request.json'), '{"id": "half');
    await sleep(60);
    expect(seen).toHaveLength(1);
    watch.stop();
  });
});

test('names of runs are the configuration\u2019s and the time, counted up', () => {
  const now = new Date('2026-01-31T14:25:01Z');
  const first = newRunId(runs, 'quick start', now);
  expect(first).toBe('quick-start-20260131-142501');
  create(first);
  expect(newRunId(runs, 'quick start', now)).toBe('quick-start-20260131-142501-2');
});

test('starts that make the same name at the same moment each get one', () => {
  const start = () =>
    createRun({
      id: { from: 'quick.yaml' },
      runsFolder: runs,
      config: readConfigFile('tiny').config,
      configSource: 'tiny',
      trainImages: 64,
      command: [],
      sweep: null,
      parent: null,
      createdAt: '2026-01-31T14:25:01.000Z',
    }).record.id;
  // A link to nowhere looks free and can't be made: as a name is that somebody takes between the look and the making.
  symlinkSync(join(runs, 'nowhere'), join(runs, 'quick-20260131-142501'));
  expect([start(), start()]).toEqual(['quick-20260131-142501-2', 'quick-20260131-142501-3']);
});
