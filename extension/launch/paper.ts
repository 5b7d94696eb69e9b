import { join } from 'node:path';
import * as vscode from 'vscode';
import { pickRuns, type RunArgument } from '../run/pickRun.ts';
import type { RunNode } from '../run/runTree.ts';
import { workspaceFolder } from '../settings.ts';
import { paperManifests } from './paperManifests.ts';
import type { StartContext } from './startRun.ts';

/** "Make paper table": table, figure and manifest of a grid or of some runs, in a folder of their own. */
export async function makePaper(
  { watch, launcher }: StartContext,
  argument: RunArgument,
  selection?: readonly RunNode[],
): Promise<void> {
  const runsFolder = launcher.requireRunsFolder();
  if (runsFolder === undefined) return;
  const title = vscode.l10n.t('Make paper table');
  const sweepId = typeof argument === 'object' && argument.kind === 'grid' ? argument.id : undefined;
  const runs = sweepId === undefined ? await pickRuns(watch, argument, selection, { title }) : [];
  if (sweepId === undefined && (!runs || runs.length === 0)) return;
  const name = await vscode.window.showInputBox({
    title,
    prompt: vscode.l10n.t('Folder of the workspace for the table, the figure and the manifest.'),
    value: `paper/${sweepId ?? 'runs'}`,
    validateInput: (text) =>
      /^[^\\:*?"<>|]+$/.test(text) && !text.split('/').includes('..') && !text.startsWith('/')
        ? undefined
        : vscode.l10n.t('A folder inside the workspace.'),
  });
  if (name === undefined) return;
  const folder = join(workspaceFolder() ?? runsFolder, name);
  const subjects = sweepId === undefined ? (runs ?? []).map(({ id }) => id) : ['--sweep', sweepId];
  const args = ['paper', 'make', ...subjects, '--runs-dir', runsFolder, '--output', folder];
  if (!(await launcher.runToEnd(vscode.l10n.t('Making the paper table'), args, 'paper'))) return;
  const table = vscode.Uri.file(join(folder, 'table.md'));
  await vscode.commands.executeCommand('vscode.open', table);
  void vscode.window.showInformationMessage(
    vscode.l10n.t('Wrote {0}: table, figure and manifest.', vscode.workspace.asRelativePath(folder)),
  );
}

/** "Verify paper table": computes a table anew from the raw metrics and compares it, and its runs, with its manifest. */
export async function verifyPaper({ launcher }: StartContext, argument: unknown): Promise<void> {
  if (launcher.requireRunsFolder() === undefined) return;
  const given = argument instanceof vscode.Uri ? argument : await pickManifest();
  if (!given) return;
  const folder = join(given.fsPath, '..');
  const args = ['paper', 'verify', folder];
  if (!(await launcher.runToEnd(vscode.l10n.t('Verifying the paper table'), args, 'paper-verify'))) return;
  void vscode.window.showInformationMessage(
    vscode.l10n.t('{0} follows from the raw metrics, unchanged.', vscode.workspace.asRelativePath(folder)),
  );
}

async function pickManifest(): Promise<vscode.Uri | undefined> {
  const found = await paperManifests();
  if (found.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('There is no paper table in this workspace yet. \u201cSimDINO: Make paper table\u201d writes one.'),
    );
    return undefined;
  }
  const items = found.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }));
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Verify paper table') }))?.uri;
}
