/** What a runs folder may do to whoever looks at it in the editor: nothing freezes, nothing is guessed, and what is wrong is said. */
import { appendFile, mkdir, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { currentProcess } from '../../experiments/store/processIdentity.ts';
import type { SweepRecord } from '../../protocol/records.ts';
import { eventually } from '../host/eventually.ts';
import { makeReadOnly, noReadOnlyFolder } from '../host/readOnlyFolder.ts';
import { startSleeper } from '../host/sleeper.ts';
import { aRecord, metricLines, writeRun } from '../unit/store/runFolders.ts';
import { describeStudio } from './host.ts';
import { Studio } from './studio.ts';

const started = { type: 'started', time: 0, step: 0 };
const finished = { type: 'finished', time: 2, step: 20 };
const hostile = '<img src=x onerror="document.title=\'broken in\'">';
const manySteps = 200_000;
const manyRuns = 10_000;

/** Half of this line is on disk when the window opens: its trainer is still writing it. */
const line = metricLines(21, 21);
const halfLine = line.slice(0, 20);

describeStudio(
  'e2e: what may go wrong with runs',
  (suite) => {
    const files = (run: string, ...names: string[]) => join(suite.host.runsFolder, run, ...names);
    const metricsOf = (run: string) => files(run, 'attempts/001/metrics.jsonl');

    test('a half-written record is said to be one, and no state is guessed', async () => {
      const runs = await suite.studio.runs();
      expect(await runs.item(/^torn-record /)).toBe('torn-record unreadable · run.json: it is no JSON');
      const table = await suite.studio.table();
      await table.filter('torn-record');
      await expect.poll(() => table.states()).toEqual(['Unreadable']);
      await table.filter('');
    });

    test('a half-written line is passed over until it is whole', async () => {
      const curves = await suite.studio.curvesNamed('growing');
      await curves.growBeyond(19);
      expect(await curves.points()).toBe(20);
      expect(await curves.notices()).toBe('');

      await appendFile(metricsOf('growing'), line.slice(halfLine.length) + metricLines(22, 23));
      expect(await curves.growBeyond(20)).toBe(23);
      expect(await curves.notices()).toBe('');
    });

    test('a run of a newer version is shown as far as this one knows it', async () => {
      const row = await (await suite.studio.runs()).item(/^of-tomorrow /);
      expect(row).toMatch(/finished · run\.json: it was written by a newer version \(layout 99, this is 1\)/);
      const curves = await suite.studio.curvesNamed('of-tomorrow');
      await curves.growBeyond(19);
      expect(await curves.notices()).toContain('what this version knows is shown');
    });

    test('lines that are none are counted, and values that are no numbers are marked as gaps', async () => {
      const curves = await suite.studio.curvesNamed('garbage');
      await curves.growBeyond(19);
      expect(await curves.notices()).toContain('metrics.jsonl: 3 unreadable lines, left out');
      expect(await curves.footnote()).toContain('3 values are not finite');
      expect(await curves.isDrawn()).toBe(true);
    });

    test('a grid whose scheduler died says so, since when, and offers to resume it', async () => {
      expect(await (await suite.studio.runs()).item(/^abandoned /)).toBe('abandoned 1/2 finished · scheduler lost');
      const grid = await suite.studio.gridNamed('abandoned');
      await expect.poll(() => grid.notices()).toMatch(/Scheduler lost, last heard of 3 h ago: resume the grid/);
      expect(await grid.header()).toMatch(/Scheduler lost.*Resume the grid.*1 axis\b/s);
    });

    test('a very large file of metrics is listed by its end and drawn whole', async () => {
      expect(await (await suite.studio.runs()).item(/^gigabyte /)).toMatch(/loss 20 · finished/);
      const curves = await suite.studio.curvesNamed('large');
      await curves.growBeyond(manySteps - 1);
      expect(await curves.points()).toBe(manySteps);
      expect(await curves.footnote()).toContain('downsampled');
      await expect.poll(() => curves.isDrawn()).toBe(true);
    });

    test('the curves of a gigabyte of metrics are drawn from its first line to its last', async () => {
      const curves = await suite.studio.curvesNamed('gigabyte');
      await curves.growBeyond(19);
      expect(await curves.points()).toBe(20);
      expect(await curves.notices()).toContain('metrics.jsonl: 2 unreadable lines, left out');
      await expect.poll(() => curves.isDrawn()).toBe(true);
    });

    test('a clock that jumped back bends no curve, and one of tomorrow makes no time negative', async () => {
      const curves = await suite.studio.curvesNamed('clock-jumped');
      await curves.growBeyond(19);
      await curves.over('Time');
      await expect.poll(() => curves.words()).toMatch(/at time/);
      expect(await curves.words()).not.toMatch(/[-−]\d/);
      expect(await (await suite.studio.runs()).item(/^clock-jumped /)).not.toMatch(/[-−]\d/);
    });

    test('names in any script are names, and folders whose names are none are passed over', async () => {
      const runs = await suite.studio.runs();
      for (const name of ['опыт-1', '試験', 'η.2', 'تجربة']) await runs.item(new RegExp(`^${name} .*finished`));
      await (await suite.studio.curvesNamed('試験')).growBeyond(8);
      expect(await runs.message()).toContain('Passed over: <img onerror=1>');
      expect((await runs.items()).join()).not.toContain('<img onerror=1>');
    });

    test('markup in what people write about a run stays text wherever it is shown', async () => {
      const { workbench } = suite.studio;
      const runs = await suite.studio.runs();
      expect(await runs.item(/onerror/)).toContain(hostile);
      const tooltip = await runs.tooltip(/onerror/);
      expect(await tooltip.innerText()).toContain('[stop](command:simdino.stopRun)');
      expect(await tooltip.locator('img, a[href*="command"], a[data-href*="command"]').count()).toBe(0);

      const { frame } = await suite.studio.curvesNamed(hostile);
      expect(await frame.locator('img').count()).toBe(0);
      const table = await suite.studio.table();
      await expect.poll(() => table.names()).toContain(hostile);
      expect(await table.frame.locator('img').count()).toBe(0);
      expect(await workbench.page.locator('img[onerror]').count()).toBe(0);
      expect(await workbench.page.title()).not.toContain('broken in');
    });

    test('a run whose folder is deleted under its open curves is said to be gone', async () => {
      const curves = await suite.studio.curvesNamed('doomed');
      await curves.growBeyond(8);
      await rm(files('doomed'), { recursive: true });

      await expect.poll(() => curves.notices(), { timeout: 30_000 }).toMatch(/Gone: doomed.*deleted or moved/s);
      await expect.poll(async () => (await (await suite.studio.runs()).items()).join()).not.toContain('doomed');
      expect(await suite.studio.workbench.notifications.messages()).toEqual([]);
    });

    test('on a read-only disk everything is shown, nothing is written, and what can’t be is said', async (context) => {
      const makeWritable = await makeReadOnly(suite.host.runsFolder);
      if (!makeWritable) return context.skip(noReadOnlyFolder);
      let isReadOnly = true;
      onTestFinished(() => (isReadOnly ? makeWritable() : undefined));
      const { notifications } = suite.studio.workbench;
      const before = await readdir(files('of-tomorrow'));
      await (await suite.studio.curvesNamed('of-tomorrow')).growBeyond(19);

      await suite.studio.star(/^of-tomorrow /);
      await notifications.message(/notes can’t be kept in .*of-tomorrow.annotations\.json: .*nothing was changed/s);
      await suite.studio.startRun('tiny.yaml');
      await notifications.message(/The run folder .*runs can't be written: .*simdino\.runsFolder/);
      expect(await readdir(files('of-tomorrow'))).toEqual(before);
      await notifications.clear();

      await makeWritable();
      isReadOnly = false;
      await suite.studio.star(/^of-tomorrow /);
      await (await suite.studio.runs()).item(/^★ of-tomorrow /);
    });

    test('two windows on one workspace show the same, and one of them tells of an end', async () => {
      const other = await Studio.open(suite.host.browser, suite.host.server.url);
      onTestFinished(() => other.workbench.close());
      const windows = [suite.studio, other];
      await (await other.runs()).item(/^growing .*running/, 60_000);
      await other.star(/^growing /);
      for (const studio of windows) await (await studio.runs()).item(/^★ growing .*running/);

      await appendFile(files('growing', 'attempts/001/events.jsonl'), `${JSON.stringify(finished)}\n`);
      for (const studio of windows) await (await studio.runs()).item(/^★ growing .*finished/);
      const told = async () => {
        const messages = await Promise.all(windows.map((studio) => studio.workbench.notifications.messages()));
        return messages.flat().filter((message) => message.includes('growing has finished'));
      };
      await eventually('the end of the run is told', 20_000, async () => (await told()).length > 0 || undefined);
      // Longer than a window waits for the other one to speak first.
      await suite.studio.workbench.page.waitForTimeout(3_000);
      expect(await told()).toHaveLength(1);
    });

    test('ten thousand runs are listed, found and laid out as a table', async () => {
      const record = JSON.stringify(aRecord('x', { createdAt: '2020-01-01T00:00:00Z' }));
      for (let begin = 0; begin < manyRuns; begin += 500)
        await Promise.all(
          Array.from({ length: 500 }, async (_, i) => {
            await mkdir(files(`many-${begin + i}`));
            await writeFile(files(`many-${begin + i}`, 'run.json'), record);
          }),
        );
      const count = (items: readonly string[], group: string) =>
        Number(items.find((item) => item.startsWith(`${group} `))?.split(' ')[1] ?? 0);
      const runs = await suite.studio.runs();
      await eventually('all of them in the tree', 60_000, async () =>
        count(await runs.items(), 'Finished') > manyRuns ? true : undefined,
      );
      await suite.studio.filterRuns('many-7777');
      await expect.poll(async () => (await runs.items()).filter((item) => item.startsWith('many-'))).toHaveLength(1);
      await suite.studio.filterRuns('');

      const table = await suite.studio.table();
      await table.filter('many-777');
      await expect.poll(async () => (await table.names()).sort(), { timeout: 30_000 }).toHaveLength(11);
    });
  },
  { prepare: faultyRuns },
);

async function faultyRuns(runs: string): Promise<void> {
  const done = { events: [started, finished] };
  const twenty = metricLines(1, 20, (step) => 1 / step);
  await writeRun(runs, 'torn-record', [], '{"version": 1, "half');
  const trainer = await startSleeper();
  await writeRun(runs, 'growing', [{ process: trainer, events: [started], metrics: metricLines(1, 20) + halfLine }]);
  await writeRun(runs, 'of-tomorrow', [{ ...done, metrics: twenty }], { ...aRecord('of-tomorrow'), version: 99 });
  const garbage =
    'not json\n[1]\n{"loss":1}\n{"step":21,"loss":NaN}\n{"step":22,"loss":Infinity}\n{"step":23,"loss":"NaN"}\n';
  await writeRun(runs, 'garbage', [{ ...done, metrics: twenty + garbage }]);
  await writeRun(runs, 'large', [{ ...done, metrics: metricLines(1, manySteps, (step) => Math.sin(step / 1000)) }]);

  await writeRun(runs, 'gigabyte', [{ ...done, metrics: metricLines(1, 5) }]);
  const gigabyte = join(runs, 'gigabyte/attempts/001/metrics.jsonl');
  // Holes take no room on the disk, and are read as lines of half a gigabyte.
  await truncate(gigabyte, 2 ** 29);
  await appendFile(gigabyte, `\n${metricLines(6, 9)}`);
  await truncate(gigabyte, 2 ** 30);
  await appendFile(gigabyte, `\n${metricLines(10, 20)}`);

  const hourMs = 3_600_000;
  await abandonedGrid(runs, new Date(Date.now() - 3.5 * hourMs));
  const clock = Array.from({ length: 20 }, (_, i) =>
    JSON.stringify({
      step: i + 1,
      epoch: (i + 1) / 10,
      time: 40 * hourMs + 1000 * i - (i < 10 ? 0 : hourMs),
      loss: i + 1,
    }),
  );
  const tomorrow = new Date(Date.now() + 24 * hourMs).toISOString();
  const record = aRecord('clock-jumped', { createdAt: tomorrow });
  await writeRun(runs, 'clock-jumped', [{ ...done, metrics: `${clock.join('\n')}\n` }], record);

  for (const name of ['опыт-1', '試験', 'η.2', 'تجربة', 'doomed'])
    await writeRun(runs, name, [{ ...done, metrics: metricLines(1, 9) }]);
  await mkdir(join(runs, '<img onerror=1>'));
  await writeRun(runs, 'markup', [{ ...done, metrics: twenty }]);
  const notes = `${hostile} [stop](command:simdino.stopRun)`;
  await writeFile(join(runs, 'markup/annotations.json'), JSON.stringify({ name: hostile, tags: ['<b>bold'], notes }));
}

/** Of two cells one has finished; the process that launched them is gone without a word. */
async function abandonedGrid(runs: string, heardAt: Date): Promise<void> {
  const process = { ...currentProcess(), startTime: '1' };
  const sweep = await writeRun(join(runs, 'sweeps'), 'abandoned', [{ process, events: [started] }]);
  await utimes(join(sweep, 'attempts/001/heartbeat'), heardAt, heardAt);
  const cells = [0.2, 0.5].map((eps, i) => ({ runId: `abandoned-${i + 1}`, cell: { 'loss.eps': eps }, seed: 0 }));
  const record: SweepRecord = {
    version: 1,
    id: 'abandoned',
    createdAt: heardAt.toISOString(),
    base: 'tiny',
    axes: [{ key: 'loss.eps', values: [0.2, 0.5] }],
    seeds: [0],
    cells,
    metric: 'loss',
    goal: 'minimise',
    slots: 1,
  };
  await writeFile(join(sweep, 'sweep.json'), JSON.stringify(record));
  const [first] = cells;
  const { runId, ...member } = first!;
  const ofSweep = aRecord(runId, { sweep: { id: 'abandoned', ...member } });
  await writeRun(runs, runId, [{ events: [started, finished], metrics: metricLines(1, 20) }], ofSweep);
}
