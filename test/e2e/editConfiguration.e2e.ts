import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type E2eHost, startE2eHost, whyNoHost } from './host.ts';
import { Studio } from './studio.ts';

const noHost = await whyNoHost();

describe.skipIf(noHost !== undefined)('e2e: a configuration in a real VS Code', () => {
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

  test('shows what follows from gamma, epsilon and momentum behind them', async () => {
    await studio.workbench.openFile('study.yaml');

    const text = () => studio.workbench.editor().innerText();
    await expect.poll(text, { timeout: 30_000 }).toMatch(/gamma:.*\d\.\d/);
    await expect.poll(text).toMatch(/eps:.*0\.05/);
    await expect.poll(text).toMatch(/momentum:.*half/i);
    await studio.workbench.screenshot('hints');
  });

  test('changes one value and keeps the comment beside another', async () => {
    await studio.editHyperparameter('loss.eps', '0.5');
    await studio.workbench.page.keyboard.press('Control+S');

    const path = join(host.workspace, 'study.yaml');
    await expect.poll(() => readFileSync(path, 'utf8'), { timeout: 20_000 }).toContain('eps: 0.5');
    expect(readFileSync(path, 'utf8')).toContain('gamma: auto # weight of the coding rate');
  });
});
