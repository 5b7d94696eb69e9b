import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { livingTrainers } from '../host/endRuns.ts';
import { members } from '../host/processGroup.ts';
import { type E2eHost, startE2eHost, whyNoHost } from './host.ts';
import { Studio } from './studio.ts';

const noHost = await whyNoHost();

describe.skipIf(noHost !== undefined)('e2e: a run in a real VS Code', () => {
  let host: E2eHost;
  let studio: Studio;
  let run = '';
  let trainer = 0;

  beforeAll(async () => {
    host = await startE2eHost('studio');
    studio = await Studio.open(host.browser, host.server.url);
  });
  afterAll(() => (host as E2eHost | undefined)?.close());

  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await host.keepEvidence(task.name);
  });

  test('is offered by the command palette, with the configurations of the workspace and the presets', async () => {
    const { quickInput } = studio.workbench;
    await expect
      .poll(() => studio.workbench.paletteFor('SimDINO'), { timeout: 60_000 })
      .toContain('SimDINO: Start SimDINO run');
    await studio.workbench.screenshot('palette');
    await quickInput.cancel();

    await studio.workbench.runCommand('SimDINO: Start SimDINO run');
    await expect
      .poll(async () => (await quickInput.items()).join('; '))
      .toMatch(/long.yaml.*tiny.yaml.*quickstart.yaml/);
    await studio.workbench.screenshot('choose-configuration');
    await quickInput.cancel();
  });

  test('starts from the command palette', async () => {
    await studio.startRun('long.yaml');

    const row = await studio.runIn('running');
    expect(row).toMatch(/^long-\d{8}-\d{6} running/);
    run = row.split(' ')[0]!;
    expect(readdirSync(join(host.runsFolder, run))).toContain('run.json');
  });

  test('draws curves that grow', async () => {
    const curves = await studio.curves();
    const points = await curves.growBeyond(0);
    await curves.growBeyond(points + 20);

    expect((await curves.charts()).length).toBeGreaterThanOrEqual(4);
    await expect.poll(() => curves.isDrawn(), { timeout: 20_000 }).toBe(true);
    await studio.workbench.screenshot('curves');
  });

  test('shows its progress in the status bar', async () => {
    expect(await studio.workbench.statusBarItem(/long-.*loss/)).toMatch(/epoch [\d.]+\/20000 · loss [-−]?\d/);
  });

  test('survives a reload of the window, and its curves go on', async () => {
    [trainer] = livingTrainers(host.runsFolder) as [number];
    await studio.workbench.reload();

    expect(await studio.runIn('running')).toContain(run);
    // The browser's editor keeps its layout only now and then: the panel may be back by itself or not.
    const curves = await studio.curvesOf(run);
    await curves.growBeyond(await curves.growBeyond(0));
    expect(livingTrainers(host.runsFolder)).toEqual([trainer]);
  });

  test('survives the death of the editor with all its processes, and is found again', async () => {
    const editor = host.server.groupId;
    expect(members(editor).length).toBeGreaterThan(1);
    await host.server.kill();
    expect(members(editor)).toEqual([]);
    expect(livingTrainers(host.runsFolder)).toEqual([trainer]);

    await host.server.startAgain();
    await studio.workbench.goTo(host.server.url);
    expect(await studio.runIn('running')).toContain(run);
    expect(livingTrainers(host.runsFolder)).toEqual([trainer]);
    const curves = await studio.curvesOf(run);
    await curves.growBeyond(await curves.growBeyond(0));
    await studio.workbench.screenshot('found-again');
  });

  test('stops when asked to, with a checkpoint', async () => {
    await studio.stop(new RegExp(run));

    expect(await studio.runIn('stopped')).toContain(run);
    await expect.poll(() => livingTrainers(host.runsFolder), { timeout: 20_000 }).toEqual([]);
    expect(readdirSync(join(host.runsFolder, run, 'checkpoints')).some((name) => name.startsWith('step-'))).toBe(true);
    await studio.workbench.screenshot('stopped');
  });
});
