import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../configs/readConfig.ts';
import { resolvedText } from '../../configs/resolvedText.ts';
import { loadFrom } from '../unit/configs/presetFiles.ts';
import { aRecord, writeRun } from '../unit/store/runFolders.ts';
import { describeStudio } from './host.ts';

describeStudio(
  'e2e: a configuration in a real VS Code',
  (suite) => {
    test('shows what follows from gamma, epsilon and momentum behind them', async () => {
      await suite.studio.workbench.openFile('study.yaml');

      const text = () => suite.studio.workbench.editor().innerText();
      await expect.poll(text, { timeout: 30_000 }).toMatch(/gamma:.*\d\.\d/);
      await expect.poll(text).toMatch(/eps:.*0\.05/);
      await expect.poll(text).toMatch(/momentum:.*half/i);
      await suite.studio.workbench.screenshot('hints');
    });

    test('a hover tells meaning, equation, the paper, what follows here, and what own runs had', async () => {
      const { workbench } = suite.studio;
      const shown = await workbench.hover('eps');
      expect(shown).toContain('quantisation error');
      expect(shown).toContain('R_eps(Gamma)');
      expect(shown).toContain('Your runs');
      expect(shown).toMatch(/0\.2236[\s\S]*71\.3 %[\s\S]*0\.5[\s\S]*68\.4 %/);
      await workbench.screenshot('hover');
      await workbench.page.keyboard.press('Escape');
    });

    test('a quick fix mends a mistyped key', async () => {
      const { workbench } = suite.studio;
      await workbench.openFile('long.yaml');
      await workbench.typeAtEnd('\nteacher:\n  momentm: 0.99 # slower');
      const offered = await workbench.quickFixes('momentm');
      expect(offered.join()).toContain('Change to `momentum`');
      await workbench.screenshot('quick-fix');
      await workbench.page.keyboard.press('Enter');
      await expect.poll(() => workbench.editor().innerText(), { timeout: 20_000 }).toMatch(/momentum:\s0\.99/);
      await workbench.runCommand('File: Revert File');
      await workbench.openFile('study.yaml');
    });

    test('changes one value and keeps the comment beside another', async () => {
      await suite.studio.editHyperparameter('loss.eps', '0.5');
      await suite.studio.workbench.page.keyboard.press('Control+S');

      const path = join(suite.host.workspace, 'study.yaml');
      await expect.poll(() => readFileSync(path, 'utf8'), { timeout: 20_000 }).toContain('eps: 0.5');
      expect(readFileSync(path, 'utf8')).toContain('gamma: auto # weight of the coding rate');
    });

    test('edits a hyperparameter from a run in the tree, and sees what runs had', async () => {
      const { workbench } = suite.studio;
      await (await suite.studio.runs()).contextMenu(/study-wide/, 'Edit hyperparameter');
      await workbench.quickInput.search('teacher.momentum');
      await workbench.quickInput.pick('teacher.momentum,');
      await workbench.quickInput.answer('0.97');
      await workbench.page.keyboard.press('Control+S');
      const path = join(suite.host.workspace, 'study.yaml');
      await expect.poll(() => readFileSync(path, 'utf8'), { timeout: 20_000 }).toMatch(/^ {2}momentum: 0\.97$/m);
    });

    test('edits a hyperparameter from the comparison', async () => {
      const { workbench } = suite.studio;
      const comparison = await suite.studio.compare([/study-narrow/, /study-wide/]);
      await comparison.getByRole('button', { name: 'loss.eps' }).click();
      expect(await workbench.quickInput.prompt()).toMatch(/Your runs, best k-NN: 0\.2236: 71\.3 %, 0\.5: 68\.4 %/);
      await workbench.screenshot('edit-from-comparison');
      await workbench.quickInput.answer('0.4');
      await workbench.page.keyboard.press('Control+S');
      const path = join(suite.host.workspace, 'study.yaml');
      await expect.poll(() => readFileSync(path, 'utf8'), { timeout: 20_000 }).toContain('eps: 0.4');
    });

    test('shows what a file changes of the preset that it extends', async () => {
      const { workbench } = suite.studio;
      await workbench.openFile('study.yaml');
      await workbench.page
        .locator('.codelens-decoration a', { hasText: 'Compare with tiny' })
        .click({ timeout: 60_000 });
      await workbench.page.locator('.tab', { hasText: 'tiny' }).first().waitFor({ timeout: 30_000 });
      const changed = workbench.page.locator('.monaco-diff-editor .line-insert, .monaco-diff-editor .char-insert');
      await expect.poll(() => changed.count(), { timeout: 30_000 }).toBeGreaterThan(0);
      await workbench.screenshot('preset-diff');
    });
  },
  { prepare: writePastRuns },
);

/** Two finished runs of the study with different eps, as a trainer would have left them. */
async function writePastRuns(runsFolder: string): Promise<void> {
  const started = { type: 'started', time: 0, step: 0 };
  for (const [id, eps, best] of [
    ['study-narrow', 0.2236, 0.713],
    ['study-wide', 0.5, 0.684],
  ] as const) {
    const record = aRecord(id, { configSource: join(dirname(runsFolder), 'study.yaml') });
    record.environment.hostname = hostname();
    const lines = [1, 2, 3, 4].map((step) => ({
      step,
      epoch: step / 4,
      time: 400 * step,
      loss: -step,
      memoryBytes: 410 * 2 ** 20,
      ...(step % 2 === 0 ? { knnTop1: best - (4 - step) / 10 } : {}),
    }));
    const metrics = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const finished = { type: 'finished', time: 2000, step: 4 };
    const folder = await writeRun(runsFolder, id, [{ events: [started, finished], metrics }], record);
    const text = `extends: tiny\nloss: { eps: ${eps} }\n`;
    const { config } = readConfig(text, { path: 'study.yaml', load: loadFrom({}) });
    await writeFile(join(folder, 'config.yaml'), resolvedText(config!, id));
  }
}
