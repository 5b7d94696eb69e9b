import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listRuns } from '../../../experiments/store/listRuns.ts';
import { LivenessWatch } from '../../../experiments/store/liveness.ts';
import { currentProcess } from '../../../experiments/store/processIdentity.ts';
import { aRecord, elsewhere, metricLines, temporaryFolder, writeRun } from './runFolders.ts';

let runs: string;
beforeEach(async () => {
  runs = await temporaryFolder();
});
afterEach(() => rm(runs, { recursive: true }));

const started = { type: 'started', time: 1, step: 0 };
const states = async (options: Parameters<typeof listRuns>[1] = {}) =>
  Object.fromEntries((await listRuns(runs, options)).runs.map((run) => [run.id, run.state]));

describe('listRuns', () => {
  it('finds no runs in a folder that does not exist', async () => {
    expect(await listRuns(join(runs, 'none'))).toEqual({ runs: [], skipped: [] });
  });

  it('derives the states', async () => {
    const self = currentProcess();
    await writeRun(runs, 'finished', [{ events: [started, { type: 'finished', time: 2, step: 100 }] }]);
    await writeRun(runs, 'stopped', [{ events: [started, { type: 'stopped', time: 2, step: 50 }] }]);
    await writeRun(runs, 'failed', [{ events: [{ type: 'failed', time: 2, step: 5, code: 'x', message: 'y' }] }]);
    await writeRun(runs, 'running', [{ process: self, events: [started] }]);
    await writeRun(runs, 'reused-pid', [{ process: { ...self, startTime: '1' }, events: [started] }]);
    await writeRun(runs, 'elsewhere', [{ process: elsewhere, events: [started] }]);
    await writeRun(runs, 'no-attempt');
    expect(await states()).toEqual({
      finished: 'finished',
      stopped: 'stopped',
      failed: 'failed',
      running: 'running',
      'reused-pid': 'crashed',
      elsewhere: 'stale',
      'no-attempt': 'crashed',
    });
    expect(await states({ nowMs: Date.parse('2026-01-02T03:04:10.000Z') })).toMatchObject({ 'no-attempt': 'starting' });
  });

  it('sees a run of another host run as soon as its heartbeat advances', async () => {
    const folder = await writeRun(runs, 'r', [{ process: elsewhere, events: [started] }]);
    const watch = new LivenessWatch();
    expect(await states({ watch })).toEqual({ r: 'stale' });
    await writeFile(join(folder, 'attempts/001/heartbeat'), '2');
    expect(await states({ watch })).toEqual({ r: 'running' });
  });

  it('shows a stop that was asked of this attempt, not one of an earlier attempt', async () => {
    const process = currentProcess();
    const folder = await writeRun(runs, 'r', [{ process, events: [started] }]);
    const request = { id: 'a', action: 'stop', by: 'test', at: '2026-01-02T03:00:00.000Z' };
    await writeFile(join(folder, 'request.json'), JSON.stringify(request));
    expect(await states()).toEqual({ r: 'running' });
    await writeFile(join(folder, 'request.json'), JSON.stringify({ ...request, at: '2026-01-02T03:05:00.000Z' }));
    expect(await states()).toEqual({ r: 'stopping' });
  });

  it('judges a resumed run by its last attempt', async () => {
    const process = currentProcess();
    await writeRun(runs, 'r', [
      { events: [started, { type: 'stopped', time: 2, step: 50 }], metrics: metricLines(1, 60) },
      { process, events: [], resumedFrom: { attempt: 1, step: 50 } },
    ]);
    const [run] = (await listRuns(runs)).runs;
    expect(run).toMatchObject({ state: 'starting', attemptCount: 2, latest: { step: 50, loss: 50 } });
  });

  it('gives the newest value of each metric, with NaN as such', async () => {
    await writeRun(runs, 'r', [
      { metrics: '{"step":1,"knnTop1":0.5,"loss":2}\n{"step":2,"loss":NaN}\n{"step":3,"loss":1' },
    ]);
    const [run] = (await listRuns(runs)).runs;
    expect(run?.latest).toEqual({ step: 2, knnTop1: 0.5, loss: Number.NaN });
  });

  it('knows the accuracy of an evaluation long ago from the newest checkpoint', async () => {
    const folder = await writeRun(runs, 'r', [{ metrics: '{"step":0,"knnTop1":0.1}\n' + metricLines(1, 2000) }]);
    const knnTop1 = async () => (await listRuns(runs)).runs[0]?.latest['knnTop1'];
    expect(await knnTop1()).toBeUndefined();
    await mkdir(join(folder, 'checkpoints/step-001000'), { recursive: true });
    const checkpoint = { version: 1, step: 1000, metrics: { knnTop1: 0.6, loss: 5 } };
    await writeFile(join(folder, 'checkpoints/step-001000/checkpoint.json'), JSON.stringify(checkpoint));
    expect(await knnTop1()).toBe(0.6);
    expect((await listRuns(runs)).runs[0]?.latest['loss']).toBe(2000);
  });

  it('lists broken folders with what is wrong with them', async () => {
    await writeRun(runs, 'half', [], '{"version":1,"id":"ha');
    await writeRun(runs, 'empty', [], '');
    await writeRun(runs, 'array', [], '[]');
    await writeRun(runs, 'wrong-types', [], '{"version":1,"git":7,"environment":"x","command":{},"sweep":{"id":3}}');
    await writeRun(runs, 'newer', [], aRecordText('newer', 99));
    await mkdir(join(runs, 'bare'));
    const list = (await listRuns(runs)).runs;
    expect(Object.fromEntries(list.map((run) => [run.id, run.problems]))).toEqual({
      array: ['run.json: not an object'],
      bare: ['run.json: missing'],
      empty: ['run.json: it is empty'],
      half: ['run.json: it is no JSON'],
      newer: ['run.json: it was written by a newer version (layout 99, this is 1); what this version knows is shown'],
      'wrong-types': [],
    });
    expect(list.find((run) => run.id === 'wrong-types')?.record).toMatchObject({ git: null, command: [], sweep: null });
  });

  it('takes names in any script and skips names that could leave the folder or break a page', async () => {
    for (const name of ['実験-1', 'пробег', 'a b', '<img onerror=x>', '..hidden', 'sweeps', '.launch']) {
      await mkdir(join(runs, name));
    }
    await writeFile(join(runs, 'file'), '');
    const list = await listRuns(runs);
    expect(list.runs.map((run) => run.id)).toEqual(['пробег', '実験-1']);
    expect(list.skipped.map(({ name }) => name).sort()).toEqual(['<img onerror=x>', 'a b']);
  });

  it('lists 10,000 folders, 1,000 of them whole runs', async () => {
    const count = 1000;
    const outcome = { type: 'finished', time: 2, step: 100 };
    const metrics = metricLines(1, 30);
    for (let i = 0; i < count; i++) {
      await writeRun(runs, `run-${i}`, [{ events: [started, outcome], metrics }], aRecord(`run-${i}`));
    }
    for (let i = count; i < 10_000; i++) await mkdir(join(runs, `bare-${i}`));
    const begun = performance.now();
    const list = await listRuns(runs);
    const elapsedMs = performance.now() - begun;
    expect(list.runs.length).toBe(10_000);
    console.log(`listed 10,000 folders, 1,000 of them runs, in ${elapsedMs.toFixed(0)} ms`);
  }, 120_000);
});

function aRecordText(id: string, version: number): string {
  return JSON.stringify({ ...aRecord(id), version });
}
