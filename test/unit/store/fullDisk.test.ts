import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeAnnotations } from '../../../experiments/store/annotationsFile.ts';
import { writeRequest } from '../../../experiments/store/controlRequest.ts';
import { LivenessWatch } from '../../../experiments/store/liveness.ts';
import { moveQueued, readQueue, setQueueLimit } from '../../../experiments/store/queue.ts';
import { readConfigFile } from '../../../runtime/configFile.ts';
import { addToQueue } from '../../../runtime/queue/addToQueue.ts';
import { mountSmallDisk, noFullDisk, type SmallDisk } from '../../host/fullDisk.ts';
import { aRecord, temporaryFolder, writeRun } from './runFolders.ts';

const { config } = readConfigFile('tiny');

let work: string;
let runs: string;
let disk: SmallDisk | undefined;
beforeEach(async (context) => {
  work = await temporaryFolder();
  runs = join(work, 'runs');
  disk = await mountSmallDisk(runs);
  if (!disk) {
    Object.assign(context.task.meta, { skipReason: noFullDisk });
    context.skip(noFullDisk);
  }
});
afterEach(async () => {
  await disk?.unmount();
  await rm(work, { recursive: true, force: true });
});

const isNamed = (file: RegExp, remedy: RegExp) => ({
  message: expect.stringMatching(new RegExp(`${file.source}.*ENOSPC.*${remedy.source}`)) as string,
});
const queueRun = (id: string, createdAt: string) =>
  addToQueue({ id, runsFolder: runs, config, configSource: 'tiny.yaml', device: undefined, parent: null, createdAt });
const line = async () => (await readQueue(runs, new LivenessWatch())).runs.map(({ runId }) => runId);

describe('on a full disk', () => {
  it('notes and tags stay as they were, and what to do is said', async () => {
    const folder = await writeRun(runs, 'a', [], aRecord('a'));
    const before = { tags: ['kept'], notes: 'before' };
    await changeAnnotations(folder, before);
    disk!.fill();

    await expect(changeAnnotations(folder, { notes: 'x'.repeat(5000), star: true })).rejects.toMatchObject(
      isNamed(/annotations\.json/, /with room on the disk; nothing was changed/),
    );
    expect(JSON.parse(await readFile(join(folder, 'annotations.json'), 'utf8'))).toEqual(before);
    expect((await readdir(folder)).sort()).toEqual(['annotations.json', 'run.json']);

    disk!.empty();
    expect(await changeAnnotations(folder, { star: true })).toEqual({ ...before, star: true });
  });

  it('the queue keeps its runs, their order and its limits', async () => {
    queueRun('first', '2026-01-01T00:00:00Z');
    queueRun('second', '2026-01-01T00:00:01Z');
    await setQueueLimit(runs, 'gpu', 2);
    disk!.fill();

    expect(() => queueRun('third', '2026-01-01T00:00:02Z')).toThrow(
      /The disk is full: .*queue.*Free some space, then try again/,
    );
    const unwritten = (file: RegExp) => isNamed(file, /Free some space/);
    await expect(moveQueued(runs, 'second', 'first', new LivenessWatch())).rejects.toMatchObject(
      unwritten(/second.rank\.json/),
    );
    await expect(setQueueLimit(runs, 'gpu', 4)).rejects.toMatchObject(unwritten(/limits\.json/));
    expect(await line()).toEqual(['first', 'second']);
    expect((await readQueue(runs, new LivenessWatch())).limits).toEqual({ gpu: 2 });
    expect((await readdir(join(runs, '.queue'))).sort()).toEqual(['entries', 'limits.json']);

    disk!.empty();
    queueRun('third', '2026-01-01T00:00:02Z');
    expect(await line()).toEqual(['first', 'second', 'third']);
  });

  it('a request to a trainer that can not be written is said to be none', async () => {
    const folder = await writeRun(runs, 'a', [], aRecord('a'));
    await mkdir(join(folder, 'attempts'));
    disk!.fill();
    await expect(writeRequest(folder, 'stop', 'test')).rejects.toMatchObject(
      isNamed(/a.request\.json/, /Free some space/),
    );
    expect((await readdir(folder)).sort()).toEqual(['attempts', 'run.json']);
  });
});
