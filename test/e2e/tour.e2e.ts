/** The tour of docs/tour.md: each of its steps is a test here, and its pictures are taken by them. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeStudio } from './host.ts';

describeStudio('e2e: the tour', (suite) => {
  /** Without what earlier steps still have to say. */
  const picture = async (name: string) => {
    const { workbench } = suite.studio;
    if (name !== '7-paper') await workbench.notifications.clear();
    await workbench.screenshot(`tour-${name}`);
  };

  test('1: start a run', async () => {
    await suite.studio.startRun('tiny.yaml');
    await (await suite.studio.runs()).item(/^tiny-\d{8}-\d{6} .*(running|finished)/, 90_000);
    const curves = await suite.studio.curves();
    await curves.growBeyond(3, 90_000);
    await expect.poll(() => curves.isDrawn(), { timeout: 30_000 }).toBe(true);
    await picture('1-curves');
  });

  test('2: let two more wait in the queue', async () => {
    const { studio, host } = suite;
    await studio.queueRun('long.yaml');
    await (await studio.runs()).item(/^long-.* running/, 120_000);
    await studio.queueRun('tiny.yaml');
    await (await studio.runs()).item(/^tiny-\d{8}-\d{6} 1 of 1 for cpu \(1 at a time\)/, 90_000);
    expect(existsSync(join(host.runsFolder, '.queue/entries'))).toBe(true);
    await picture('2-queue');
    await studio.workbench.screenshot('tree');

    await studio.stop(/^long-.* running/);
    await (await studio.runs()).item(/^long-.* stopped/, 90_000);
    // What waited goes on by itself, in a process that is not the editor's.
    await expect.poll(() => readdirSync(join(host.runsFolder, '.queue/entries')), { timeout: 90_000 }).toEqual([]);
  });

  test('3: look at the checkpoints of a run, and start another from one', async () => {
    const { studio } = suite;
    const runs = await studio.runs();
    await runs.expand(/^long-.* stopped/);
    await runs.item(/^step \d+ epoch .*(kept|goes with the next one)/, 30_000);
    await picture('3-checkpoints');
    await runs.inlineAction(/^step \d+ epoch/, /Start from this checkpoint/);
    await studio.workbench.quickInput.search('Start as it is');
    await studio.workbench.quickInput.accept();
    const forked = await runs.item(/^long-\d{8}-\d{6}.* running/, 90_000);
    const curves = await studio.curvesOf(forked.split(' ')[0]!);
    await curves.growBeyond(0, 60_000);
    await studio.stop(new RegExp(`${forked.split(' ')[0]}.* running`));
    await runs.item(new RegExp(`${forked.split(' ')[0]}.* stopped`), 90_000);
  });

  test('4: see all runs in one table', async () => {
    const table = await suite.studio.table();
    await expect.poll(() => table.names().then((names) => names.length), { timeout: 30_000 }).toBeGreaterThanOrEqual(3);
    await expect.poll(() => table.columns(), { timeout: 30_000 }).toEqual(expect.arrayContaining(['Best loss']));
    await table.filter('state:finished');
    await expect.poll(() => table.names().then((names) => names.length), { timeout: 10_000 }).toBe(2);
    await picture('4-table');
  });

  test('5: vary gamma and eps, and watch the grid fill', async () => {
    await suite.studio.startGrid('sweep.yaml');
    const heatMap = await suite.studio.heatMap();
    await expect.poll(() => heatMap.cells(), { timeout: 230_000 }).toEqual({ done: 4 });
    await picture('5-grid');
  });

  test('6: compare two of its runs', async () => {
    const comparison = await suite.studio.compare([/^sweep-.*-1, finished/, /^sweep-.*-3, finished/]);
    expect(await comparison.locator('table.differences tbody th').allInnerTexts()).toEqual(['loss.gammaFactor']);
    await picture('6-comparison');
  });

  test('7: make a table that can be checked', async () => {
    const { studio, host } = suite;
    await (await studio.runs()).contextMenu(/^sweep-.*4\/4 finished/, 'Make paper table');
    await studio.workbench.quickInput.answer('paper/ablation');
    await studio.workbench.notifications.message(/table, figure and manifest/, 90_000);
    const folder = join(host.workspace, 'paper/ablation');
    expect(readdirSync(folder).sort()).toEqual(['figure.svg', 'manifest.json', 'table.csv', 'table.md', 'table.tex']);
    expect(readFileSync(join(folder, 'table.tex'), 'utf8')).toContain('\\toprule');
    await picture('7-paper');
    await studio.workbench.runCommand('SimDINO: Verify paper table');
    await studio.workbench.quickInput.pick(/manifest.json/);
    await studio.workbench.notifications.message(/follows from the raw metrics, unchanged/, 90_000);
  });
});
