/** What the editor says about a configuration from the runs that there have been. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { RunRecord } from '../../protocol/records.ts';
import { aRecord, writeRun } from '../unit/store/runFolders.ts';
import { closeWithoutSaving, eventually, runIn, runsFolder, workspacePath } from './studio.ts';

const waitMs = 20_000;
const events = [
  { type: 'started', time: 0, step: 0 },
  { type: 'finished', time: 9, step: 8 },
];
/** Two steps of half a second each, two k-NN evaluations. */
const metrics = (best: number): string =>
  [
    { step: 1, epoch: 0.25, time: 1000, loss: 1, knnTop1: best, memoryBytes: 400 * 2 ** 20 },
    { step: 2, epoch: 0.5, time: 1500, loss: 1 },
    { step: 3, epoch: 0.75, time: 2000, loss: 1, knnTop1: best - 0.1 },
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');

suite('YAML beside runs', function () {
  // Each test waits for the runs to be seen, and then for an editor.
  this.timeout(150_000);
  const made: string[] = [];
  let path: string;

  /** A finished run of `tiny` with another eps. */
  async function run(id: string, eps: number, best: number, changes: Partial<RunRecord> = {}): Promise<void> {
    made.push(join(runsFolder(), id));
    const record = aRecord(id, changes);
    record.environment.hostname = hostname();
    const folder = await writeRun(runsFolder(), id, [{ events, metrics: metrics(best) }], record);
    await writeFile(
      join(folder, 'config.yaml'),
      `extends: tiny\nmethod: simdino\ndata: { kind: synthetic }\nloss: { eps: ${eps} }\n`,
    );
    await runIn(id, ['finished']);
  }

  setup(async () => {
    path = workspacePath('evidence.yaml');
    made.push(path);
    await writeFile(path, 'extends: tiny\nloss:\n  eps: 0.3\ntrain: { epochs: 4 }\n');
  });
  teardown(async () => {
    await closeWithoutSaving();
    for (const each of made.splice(0)) await rm(each, { recursive: true, force: true });
  });

  test('hover shows what own runs had with which value, the best of each', async () => {
    await run('evidence-a', 0.2, 0.71);
    await run('evidence-b', 0.4, 0.65, { createdAt: '2026-01-03T00:00:00.000Z' });
    const document = await vscode.workspace.openTextDocument(path);
    const text = await eventually('a hover with past results', waitMs, async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        document.uri,
        new vscode.Position(2, 3),
      );
      const words = hovers.flatMap(({ contents }) => contents.map((part) => (part as vscode.MarkdownString).value));
      return words.join().includes('Your runs') ? words.join() : undefined;
    });
    // Other suites leave runs with values of their own in this workspace.
    assert.match(text, /Your runs.*: .*`0\.2` 71\.0 % \(evidence-a\), .*`0\.4` 65\.0 % \(evidence-b\)/);
  });

  test('a hint tells the time of an epoch and the memory from the last run on this machine', async () => {
    await run('evidence-c', 0.2, 0.71, { configSource: path, createdAt: '2026-01-04T00:00:00.000Z' });
    const document = await vscode.workspace.openTextDocument(path);
    const hint = await eventually('the hint', waitMs, async () => {
      const found = await vscode.commands.executeCommand<vscode.InlayHint[]>(
        'vscode.executeInlayHintProvider',
        document.uri,
        new vscode.Range(0, 0, document.lineCount, 0),
      );
      return found.find(({ label }) => typeof label === 'string' && label.startsWith('~'));
    });
    // Half a second a step, 64 images in batches of 16.
    assert.equal(hint.label, '~ 2 s per epoch, 400 MiB');
    assert.equal(hint.position.line, 3);
    assert.ok(typeof hint.tooltip === 'string');
    assert.match(hint.tooltip, /As evidence-c took on this machine/);
  });

  test('Edit hyperparameter of a run opens the file that it was started from', async () => {
    await run('evidence-d', 0.2, 0.71, { configSource: path });
    const editing = vscode.commands.executeCommand('simdino.editHyperparameter', 'evidence-d', 'loss.eps');
    await eventually('the box is accepted and the file is in front', waitMs, async () => {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return vscode.window.activeTextEditor?.document.uri.fsPath === path || undefined;
    });
    await editing;
    assert.equal(vscode.window.activeTextEditor?.document.getText(vscode.window.activeTextEditor.selection), '0.3');
  });

  test('the same from the run\u2019s record in the editor: what a run folder holds is never edited', async () => {
    await run('evidence-f', 0.2, 0.71, { configSource: path });
    const record = vscode.Uri.file(join(runsFolder(), 'evidence-f', 'config.yaml'));
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(record));
    const editing = vscode.commands.executeCommand('simdino.editHyperparameter', record, 'loss.eps');
    await eventually('the box is accepted and the file is in front', waitMs, async () => {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      return vscode.window.activeTextEditor?.document.uri.fsPath === path || undefined;
    });
    await editing;
  });

  test('of a run whose file is gone, a new text with its values', async () => {
    await run('evidence-e', 0.2, 0.71, { configSource: join(path, 'gone.yaml') });
    const editing = vscode.commands.executeCommand('simdino.editHyperparameter', 'evidence-e', 'loss.eps');
    const text = await eventually('the new text', waitMs, async () => {
      await vscode.commands.executeCommand('workbench.action.acceptSelectedQuickOpenItem');
      const document = vscode.window.activeTextEditor?.document;
      return document?.uri.scheme === 'untitled' ? document.getText() : undefined;
    });
    await editing;
    assert.match(text, /^# The SimDINO configuration of evidence-e/);
    assert.match(text, /loss: \{ eps: 0\.2 \}/);
  });
});
