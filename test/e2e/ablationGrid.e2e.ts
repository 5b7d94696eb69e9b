import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type E2eHost, startE2eHost, whyNoHost } from './host.ts';
import { Studio } from './studio.ts';

const noHost = await whyNoHost();

describe.skipIf(noHost !== undefined)('e2e: an ablation grid in a real VS Code', () => {
  let host: E2eHost;
  let studio: Studio;

  beforeAll(async () => {
    host = await startE2eHost('studio');
    studio = await Studio.open(host.browser, host.server.url);
  });
  afterAll(() => (host as E2eHost | undefined)?.close());
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await host.keepEvidence(task.name);
  });

  test('runs two gammas by two epsilons and fills its heat map', async () => {
    await studio.startGrid('sweep.yaml');

    const heatMap = await studio.heatMap();
    await expect.poll(() => heatMap.cells(), { timeout: 180_000 }).toEqual({ done: 4 });
    expect(await heatMap.values()).toEqual(Array(4).fill(expect.stringMatching(/^\d+(\.\d+)? %$/)));
    await studio.workbench.screenshot('grid');
  });

  test('compares two of its runs by what differs between them', async () => {
    const comparison = await studio.compare([/-1, finished/, /-3, finished/]);

    const keys = await comparison.locator('table.differences tbody th').allInnerTexts();
    expect(keys).toEqual(['loss.gammaFactor']);
    await studio.workbench.screenshot('comparison');
  });
});
