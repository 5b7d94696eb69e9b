import { expect, test } from 'vitest';
import { describeStudio } from './host.ts';

describeStudio('e2e: an ablation grid in a real VS Code', (suite) => {
  test('runs two gammas by two epsilons and fills its heat map', async () => {
    await suite.studio.startGrid('sweep.yaml');

    const heatMap = await suite.studio.heatMap();
    await expect.poll(() => heatMap.cells(), { timeout: 180_000 }).toEqual({ done: 4 });
    expect(await heatMap.values()).toEqual(Array(4).fill(expect.stringMatching(/^\d+(\.\d+)? %$/)));
    await suite.studio.workbench.screenshot('grid');
  });

  test('compares two of its runs by what differs between them', async () => {
    const comparison = await suite.studio.compare([/-1, finished/, /-3, finished/]);

    const keys = await comparison.locator('table.differences tbody th').allInnerTexts();
    expect(keys).toEqual(['loss.gammaFactor']);
    await suite.studio.workbench.screenshot('comparison');
  });
});
