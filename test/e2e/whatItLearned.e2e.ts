import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { describeStudio } from './host.ts';
import type { LooksPage, Studio } from './studio.ts';

describeStudio('e2e: what runs learned', (suite) => {
  test('is made into pictures at every checkpoint, and shown with a slider', async () => {
    const { studio } = suite;
    await studio.startRun('tiny.yaml');
    const [first = ''] = (await studio.runIn('finished', 120_000)).split(' ');
    const looks = await studio.looks([new RegExp(first)]);
    await looks.lookAtEveryCheckpoint();
    await expect.poll(() => looks.pictures(), { timeout: 120_000 }).toBeGreaterThan(8);
    expect((await looks.titles())[0]).toMatch(new RegExp(`^${first}, step \\d+$`));
    await looks.toFirstStep();
    expect(await looks.titles()).toEqual([`${first}, step 0`]);
  });

  test('is back after a reload of the window', async () => {
    const looks = await backAfterReload(suite.studio);
    await expect.poll(() => looks.pictures(), { timeout: 60_000 }).toBeGreaterThan(8);
    expect((await looks.titles())[0]).toMatch(/^tiny-/);
  });

  test('stands side by side for two runs', async () => {
    const { studio } = suite;
    const finished = async () => (await (await studio.runs()).items()).filter((item) => /^tiny.*finished/.test(item));
    await studio.startRun('tiny.yaml');
    await expect.poll(async () => (await finished()).length, { timeout: 120_000 }).toBe(2);
    const looks = await studio.looks(
      (await finished()).map((item) => new RegExp(item.split(' ')[0]!)),
      2,
    );
    await looks.lookAtEveryCheckpoint();
    // Four images of seven pictures each, of both runs.
    await expect.poll(() => looks.pictures(), { timeout: 120_000 }).toBe(56);
    await studio.workbench.notifications.clear();
    await studio.workbench.screenshot('learned-panel');
  });
});

/** The browser's editor writes its layout down only now and then, when it is idle: a reload that comes too early forgets the panel. */
async function backAfterReload(studio: Studio, tries = 3): Promise<LooksPage> {
  await sleep(12_000);
  await studio.workbench.reload();
  try {
    return await studio.openLooks(tries > 1 ? 25_000 : 60_000);
  } catch (error) {
    if (tries <= 1) throw error;
    await studio.looks([/^tiny-/]);
    return backAfterReload(studio, tries - 1);
  }
}
