import { appendFile, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nameRun } from '../../../experiments/runId.ts';
import { changeAnnotations } from '../../../experiments/store/annotationsFile.ts';
import { RunCollection } from '../../../experiments/store/runCollection.ts';
import { groupRuns } from '../../../extension/run/runGroups.ts';
import { remainingText, runDescription, treeDescription, type StateWords } from '../../../extension/run/runText.ts';
import { currentProcess } from '../../../experiments/store/processIdentity.ts';
import { shownStates } from '../../../protocol/panelMessages.ts';
import { isRunId } from '../../../protocol/runFolder.ts';
import { aRecord, elsewhere, metricLines, temporaryFolder, writeRun } from '../store/runFolders.ts';

let runs: string;
let collection: RunCollection;
let clockMs = 0;
beforeEach(async () => {
  runs = await temporaryFolder();
  collection = new RunCollection(runs);
  clockMs = 0;
});
afterEach(() => rm(runs, { recursive: true, force: true }));

const look = () => collection.look({ monotonicMs: (clockMs += 1000), nowMs: Date.now() });
const ids = (list: { id: string }[]) => list.map(({ id }) => id).sort();
const finished = { events: [{ type: 'finished', time: 2, step: 100 }] };

describe('RunCollection', () => {
  it('sees runs come, change, end and go', async () => {
    expect(await look()).toMatchObject({ changed: [], removed: [] });
    const folder = await writeRun(runs, 'a', [{ process: currentProcess(), metrics: metricLines(1, 2) }]);
    expect(ids((await look()).changed)).toEqual(['a']);
    expect((await look()).changed).toEqual([]);

    await writeFile(join(folder, 'attempts/001/metrics.jsonl'), metricLines(1, 3));
    expect((await look()).changed).toMatchObject([{ id: 'a', state: 'running', latest: { step: 3 } }]);

    await writeFile(join(folder, 'attempts/001/events.jsonl'), '{"type":"finished","time":1,"step":3}\n');
    expect((await look()).ended).toMatchObject([{ kind: 'run', run: { id: 'a', state: 'finished' } }]);
    expect((await look()).ended).toEqual([]);

    await rm(folder, { recursive: true });
    expect((await look()).removed).toEqual(['a']);
    expect(collection.runs.size).toBe(0);
  });

  it('does not announce the end of runs that had ended before', async () => {
    await writeRun(runs, 'a', [finished]);
    expect((await look()).ended).toEqual([]);
  });

  it('notices a run that was resumed elsewhere and notes that were written elsewhere', async () => {
    for (let i = 0; i < 60; i++) await writeRun(runs, `r-${i}`, [finished]);
    await look();
    const folder = await writeRun(runs, 'r-40', [
      finished,
      { process: currentProcess(), resumedFrom: { attempt: 1, step: 9 }, metrics: metricLines(10, 11) },
    ]);
    await changeAnnotations(folder, { name: 'again' });
    const seen: string[] = [];
    for (let i = 0; i < 3; i++) seen.push(...ids((await look()).changed));
    expect(seen).toEqual(['r-40']);
    expect(collection.runs.get('r-40')).toMatchObject({ state: 'running', annotations: { name: 'again' } });
  });

  it('notices a job that an ended run was given to', async () => {
    const folder = await writeRun(runs, 'r', [finished]);
    const job = (number: string) =>
      appendFile(
        join(folder, 'jobs.jsonl'),
        JSON.stringify({ scheduler: 'slurm', job: number, submittedAt: '', by: '' }) + '\n',
      );
    await job('17');
    await look();
    expect(collection.runs.get('r')?.job).toMatch(/^17/);
    await job('18');
    expect((await look()).changed).toMatchObject([{ id: 'r', job: expect.stringMatching(/^18/) as string }]);
  });

  it('sees a half-written record become whole', async () => {
    await writeRun(runs, 'r', [], '{"version": 1, "ha');
    await look();
    expect(collection.runs.get('r')?.record).toBeNull();
    await writeFile(join(runs, 'r/run.json'), JSON.stringify(aRecord('r')));
    expect((await look()).changed).toMatchObject([{ id: 'r', problems: [] }]);
  });

  it('reads a hinted run at once', async () => {
    for (let i = 0; i < 60; i++) await writeRun(runs, `r-${i}`, [finished]);
    await look();
    await changeAnnotations(join(runs, 'r-59'), { star: true });
    collection.hint('r-59');
    expect(ids((await look()).changed)).toEqual(['r-59']);
  });

  it('reads sweeps with their scheduler', async () => {
    const folder = join(runs, 'sweeps/s');
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, 'sweep.json'),
      JSON.stringify({ version: 1, cells: [{ runId: 's-1', cell: {}, seed: 0 }] }),
    );
    expect((await look()).sweepsChanged).toBe(true);
    expect(collection.sweeps).toMatchObject([{ id: 's', scheduler: 'idle' }]);
    await writeRun(join(runs, 'sweeps'), 's', [
      { process: currentProcess(), events: [{ type: 'started', time: 0, step: 0 }] },
    ]);
    await look();
    expect(collection.sweeps).toMatchObject([{ scheduler: 'running' }]);
    expect(groupRuns([], collection.sweeps, [], '').queued).toEqual([{ sweepId: 's', runId: 's-1' }]);
    // Its process is gone, and a word of its end is not there.
    const gone = { ...currentProcess(), startTime: '1' };
    const events = [{ type: 'started', time: 0, step: 0 }];
    await writeRun(join(runs, 'sweeps'), 's', [{ process: gone, events }]);
    await utimes(join(folder, 'attempts/001/heartbeat'), 1000, 1000);
    await look();
    expect(collection.sweeps).toMatchObject([{ scheduler: 'lost', heardAtMs: 1_000_000 }]);
    const elsewhere = { process: { ...gone, hostname: 'another-host' }, events };
    await writeRun(join(runs, 'sweeps'), 's', [{ process: gone, events }, elsewhere]);
    await look();
    expect(collection.sweeps).toMatchObject([{ scheduler: 'silent' }]);
  });
});

describe('groupRuns', () => {
  it('sorts by state, star and age, and keeps cells under their grid', async () => {
    const at = (day: number) => ({ createdAt: `2026-01-0${day}T00:00:00Z` });
    await writeRun(runs, 'old', [finished], aRecord('old', at(1)));
    await writeRun(runs, 'new', [finished], aRecord('new', at(3)));
    await writeRun(runs, 'starred', [finished], aRecord('starred', at(2)));
    await writeRun(runs, 'put-away', [finished], aRecord('put-away', at(2)));
    await writeRun(runs, 'cell', [finished], aRecord('cell', { sweep: { id: 's', cell: {}, seed: 0 } }));
    await writeRun(runs, 'remote', [{ process: elsewhere, events: [{ type: 'started', time: 0, step: 0 }] }]);
    await writeRun(runs, 'live', [{ process: currentProcess(), metrics: metricLines(1, 1) }]);
    await changeAnnotations(join(runs, 'starred'), { star: true });
    await changeAnnotations(join(runs, 'put-away'), { archived: true });
    await mkdir(join(runs, 'sweeps/s'), { recursive: true });
    await writeFile(join(runs, 'sweeps/s/sweep.json'), '{"version":1,"cells":[]}');
    await look();
    const grouped = (filter: string) => {
      const groups = groupRuns(collection.runs.values(), collection.sweeps, [], filter);
      const names = Object.entries(groups).map(([kind, members]: [string, object[]]) => {
        return [kind, members.map((member) => ('id' in member ? member.id : member))];
      });
      return Object.fromEntries(names) as unknown;
    };
    expect(grouped('')).toEqual({
      active: ['remote', 'live'],
      queued: [],
      finished: ['starred', 'new', 'old'],
      grids: ['s'],
      archived: ['put-away'],
    });
    expect(grouped('OLD fini')).toMatchObject({ finished: ['old'], active: [], grids: [] });
  });
});

describe('texts', () => {
  const words = Object.fromEntries(shownStates.map((state) => [state, state])) as StateWords;

  it('describes a run by state, epoch, loss and k-NN', async () => {
    await writeRun(runs, 'r', [
      {
        process: currentProcess(),
        metrics:
          '{"step":10,"epoch":1,"time":0,"loss":-1.23456,"knnTop1":0.8123}\n{"step":20,"epoch":2,"time":4000,"loss":"NaN"}\n',
      },
    ]);
    await look();
    const run = collection.runs.get('r')!;
    expect(runDescription(run, words)).toBe('running · epoch 2/10 · loss NaN · k-NN 81.2 %');
    expect(remainingText(run)).toBe('32 s');
  });

  it('puts what the icon does not say first where a tree cuts it', async () => {
    const metrics = '{"step":10,"epoch":1,"time":0,"loss":-1.23456,"knnTop1":0.8123}\n';
    await writeRun(runs, 'r', [{ process: currentProcess(), metrics }]);
    await look();
    const run = collection.runs.get('r')!;
    expect(treeDescription(run, words)).toBe('1/10 epochs · 81.2 % k-NN · loss \u22121.235 · running');
    const finished = { ...run, state: 'finished' as const };
    expect(treeDescription(finished, words)).toBe('81.2 % k-NN · 1/10 epochs · loss \u22121.235 · finished');
    const failed = { ...run, state: 'failed' as const };
    expect(treeDescription(failed, words)).toMatch(/^failed · epoch 1/);
    expect(treeDescription({ ...finished, latest: {} }, words)).toBe('finished');
  });

  it('says of a folder that it can not read what is wrong, and guesses no state', async () => {
    await writeRun(runs, 'r', [], '{"version": 1, "ha');
    await look();
    expect(runDescription(collection.runs.get('r')!, words)).toBe('unreadable · run.json: it is no JSON');
  });

  it('marks a run of another host that was only just met', async () => {
    await writeRun(runs, 'r', [{ process: elsewhere, events: [{ type: 'started', time: 0, step: 0 }] }]);
    await look();
    expect(runDescription(collection.runs.get('r')!, words)).toBe('stale?');
  });
});

describe('changeAnnotations', () => {
  it('keeps what it does not change, and removes what is undefined', async () => {
    const folder = await writeRun(runs, 'r');
    await changeAnnotations(folder, { name: 'n', tags: ['a'] });
    await changeAnnotations(folder, { star: true, name: undefined });
    expect(JSON.parse(await readFile(join(folder, 'annotations.json'), 'utf8'))).toEqual({ tags: ['a'], star: true });
  });

  it('does not overwrite a file that it can not read', async () => {
    const folder = await writeRun(runs, 'r');
    await writeFile(join(folder, 'annotations.json'), '{"notes": "do not lose me"');
    await expect(changeAnnotations(folder, { star: true })).rejects.toMatchObject({
      code: 'notesUnkept',
      message: expect.stringContaining('it is no JSON') as string,
    });
    expect(await readFile(join(folder, 'annotations.json'), 'utf8')).toContain('do not lose me');
  });
});

describe('nameRun', () => {
  const now = new Date('2026-01-31T14:25:01.999Z');
  it.each([
    ['/x/quickstart.yaml', 'quickstart-20260131-142501'],
    ['a b/my run (2).simdino.yml', 'my-run--2--20260131-142501'],
    ['実験.yaml', '実験-20260131-142501'],
    ['..yaml', 'run-20260131-142501'],
    ['a..b.yaml', 'a.b-20260131-142501'],
  ])('names a run of %s %s', (path, id) => {
    const made = nameRun(path, now, () => false);
    expect(made).toBe(id);
    expect(isRunId(made)).toBe(true);
  });

  it('counts on when a name is taken', () => {
    const taken = new Set(['q-20260131-142501', 'q-20260131-142501-2']);
    expect(nameRun('q.yaml', now, (id) => taken.has(id))).toBe('q-20260131-142501-3');
  });
});
