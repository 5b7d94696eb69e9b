import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type E2eHost, startE2eHost, whyNoHost } from './host.ts';
import { Studio } from './studio.ts';

const noHost = await whyNoHost();

describe.skipIf(noHost !== undefined)('e2e: the crops of a configuration in a real VS Code', () => {
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

  test('shows them above the first key, and the next ones on request', async () => {
    const { workbench } = studio;
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
