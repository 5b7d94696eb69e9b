import { stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import * as vscode from 'vscode';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { runName } from '../run/runText.ts';

/**
 * The text in which a run's configuration can be edited: the file that it was started from, or, where that is a preset or
 * gone, a new one with the run's own values. What a run folder holds is its record and is never edited.
 */
export async function configOfRun(run: RunOverview): Promise<vscode.TextDocument> {
  const source = await sourceOf(run);
  if (source) return vscode.workspace.openTextDocument(source);
  const record = await vscode.workspace.openTextDocument(vscode.Uri.file(join(run.folder, runFiles.config)));
  const from = vscode.l10n.t('The SimDINO configuration of {0}, to be saved under a name of its own.', runName(run));
  return vscode.workspace.openTextDocument({ language: 'yaml', content: `# ${from}\n${record.getText()}` });
}

async function sourceOf({ record, folder }: RunOverview): Promise<vscode.Uri | undefined> {
  if (!record || record.configSource === '') return undefined;
  const path = isAbsolute(record.configSource)
    ? record.configSource
    : resolve(record.workingFolder, record.configSource);
  const uri = vscode.Uri.file(path);
  // Presets lie outside of the workspace, and a forked run's source is another run's record.
  const isOurs = vscode.workspace.getWorkspaceFolder(uri) !== undefined && !isWithin(path, join(folder, '..'));
  const isThere = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  return isOurs && isThere && /\.ya?ml$/.test(path) ? uri : undefined;
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return !way.startsWith('..') && !isAbsolute(way);
}
