import { expect, test } from 'vitest';
import { describeStudio } from './host.ts';

describeStudio('e2e: the crops of a configuration in a real VS Code', (suite) => {
  test('shows them above the first key, and the next ones on request', async () => {
    const { workbench } = suite.studio;
    await workbench.openFile('study.yaml');
    await workbench.page.locator('.codelens-decoration a', { hasText: 'Preview crops' }).click({ timeout: 60_000 });

    const panel = await workbench.webview('img[alt^="Images 1 to 4"]', 60_000);
    const widthPx = () => panel.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth);
    await expect.poll(widthPx, { timeout: 20_000 }).toBeGreaterThan(400);
    await workbench.screenshot('crops');

    const first = await panel.locator('img').getAttribute('src');
    await panel.getByRole('button', { name: 'Next images' }).click();
    const next = await workbench.webview('img[alt^="Images 5 to 8"]', 60_000);
    expect(await next.locator('img').getAttribute('src')).not.toBe(first);
    await workbench.screenshot('crops-next');
  });
});
