import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { livingTrainers } from '../host/endRuns.ts';
import { members } from '../host/processGroup.ts';
import { describeStudio } from './host.ts';

describeStudio('e2e: a run in a real VS Code', (suite) => {
  let run = '';
  let trainer = 0;
  test('is offered by the command palette, with the configurations of the workspace and the presets', async () => {
    const { quickInput } = suite.studio.workbench;
    await expect
      .poll(() => suite.studio.workbench.paletteFor('SimDINO'), { timeout: 60_000 })
      .toContain('SimDINO: Start SimDINO run');
    await suite.studio.workbench.screenshot('palette');
    await quickInput.cancel();

    await suite.studio.workbench.runCommand('SimDINO: Start SimDINO run');
    await expect
      .poll(async () => (await quickInput.items()).join('; '))
      .toMatch(/long.yaml.*tiny.yaml.*quickstart.yaml/);
    await suite.studio.workbench.screenshot('choose-configuration');
    await quickInput.cancel();
  });

  test('starts from the command palette', async () => {
    await suite.studio.startRun('long.yaml');

    const row = await suite.studio.runIn('running');
    expect(row).toMatch(/^long-\d{8}-\d{6} .*running/);
    run = row.split(' ')[0]!;
    expect(readdirSync(join(suite.host.runsFolder, run))).toContain('run.json');
  });

  test('draws curves that grow', async () => {
    const curves = await suite.studio.curves();
    const points = await curves.growBeyond(0);
    await curves.growBeyond(points + 20);

    expect((await curves.charts()).length).toBeGreaterThanOrEqual(4);
    await expect.poll(() => curves.isDrawn(), { timeout: 20_000 }).toBe(true);
  });

  test('shows its progress in the status bar', async () => {
    expect(await suite.studio.workbench.statusBarItem(/long-.*loss/)).toMatch(
      /epoch [\d.]+\/20000, (.* left, )?loss [-−]?\d/,
    );
  });

  test('survives a reload of the window, and its curves go on', async () => {
    [trainer] = livingTrainers(suite.host.runsFolder) as [number];
    await suite.studio.workbench.reload();

    expect(await suite.studio.runIn('running')).toContain(run);
    // The browser's editor keeps its layout only now and then: the panel may be back by itself or not.
    const curves = await suite.studio.curvesOf(run);
    await curves.growBeyond(await curves.growBeyond(0));
    expect(livingTrainers(suite.host.runsFolder)).toEqual([trainer]);
    // By now the curves are worth a picture.
    await suite.studio.workbench.notifications.clear();
    await suite.studio.workbench.screenshot('curves');
  });

  test('survives the death of the editor with all its processes, and is found again', async () => {
    const editor = suite.host.server.groupId;
    expect(members(editor).length).toBeGreaterThan(1);
    await suite.host.server.kill();
    expect(members(editor)).toEqual([]);
    expect(livingTrainers(suite.host.runsFolder)).toEqual([trainer]);

    await suite.host.server.startAgain();
    await suite.studio.workbench.goTo(suite.host.server.url);
    expect(await suite.studio.runIn('running')).toContain(run);
    expect(livingTrainers(suite.host.runsFolder)).toEqual([trainer]);
    const curves = await suite.studio.curvesOf(run);
    await curves.growBeyond(await curves.growBeyond(0));
    await suite.studio.workbench.screenshot('found-again');
  });

  test('stops when asked to, with a checkpoint', async () => {
    await suite.studio.stop(new RegExp(run));

    expect(await suite.studio.runIn('stopped')).toContain(run);
    await expect.poll(() => livingTrainers(suite.host.runsFolder), { timeout: 20_000 }).toEqual([]);
    expect(readdirSync(join(suite.host.runsFolder, run, 'checkpoints')).some((name) => name.startsWith('step-'))).toBe(
      true,
    );
    await suite.studio.workbench.screenshot('stopped');
  });
});
