import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type E2eHost, startE2eHost } from './host.ts';
import { Studio } from './studio.ts';
let host: E2eHost;
let studio: Studio;
beforeAll(async () => {
  host = await startE2eHost('studio');
  writeFileSync(
    join(host.workspace, 'my.yaml'),
    `# my experiment\nextends: simdino_vits16\n\ncrops:\n  global: { sizePx: 224 }\n  local: { sizePx: 90 }\nloss:\n  preset: reference\n  eps: 0.05 # tuned\n  gamma: auto\n  codingrate: { groups: 8 }\nteacher:\n  momentum: 0.996\noptim:\n  lr: 0.0005\ntrain:\n  epochs: 100\n  batchSize: 512\n`,
  );
  studio = await Studio.open(host.browser, host.server.url);
});
afterAll(() => host?.close());
test('hints', async () => {
  await studio.workbench.openFile('my.yaml');
  await new Promise((r) => setTimeout(r, 6000));
  await studio.workbench.screenshot('hints');
  await studio.editHyperparameter('loss.eps', '0.3');
  await new Promise((r) => setTimeout(r, 3000));
  await studio.workbench.screenshot('edited');
  await studio.workbench.page.keyboard.press('Control+s');
  await new Promise((r) => setTimeout(r, 1500));
  console.log(readFileSync(join(host.workspace, 'my.yaml'), 'utf8'));
  await studio.workbench.page.locator('.view-line span', { hasText: 'codingrate' }).last().hover();
  await new Promise((r) => setTimeout(r, 2500));
  await studio.workbench.screenshot('hover');
  await studio.workbench.page.locator('.view-line span', { hasText: 'gamma' }).last().hover();
  await new Promise((r) => setTimeout(r, 2500));
  await studio.workbench.screenshot('hover2');
});
