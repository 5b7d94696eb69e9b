import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { runFiles } from '../../protocol/runFolder.ts';
import { resolvedScheme } from '../language/yamlDocuments.ts';
import { newestRunOf } from '../run/newestRunOf.ts';
import { runName } from '../run/runText.ts';
import type { RunWatch } from '../run/runWatch.ts';

/** "Compare with last": what changed in a configuration since the newest run that was started from it. */
export async function compareWithLast(watch: RunWatch, config: unknown): Promise<void> {
  const uri = config instanceof vscode.Uri ? config : vscode.window.activeTextEditor?.document.uri;
  if (uri?.scheme !== 'file') return;
  await watch.refresh();
  const run = newestRunOf(watch, uri.fsPath);
  if (!run) {
    void vscode.window.showInformationMessage(vscode.l10n.t('No run was started from {0} yet.', basename(uri.fsPath)));
    return;
  }
  // Both sides with every value spelled out, so that only what differs shows.
  const now = vscode.Uri.from({ scheme: resolvedScheme, path: uri.path, query: uri.toString() });
  const then = vscode.Uri.file(join(run.folder, runFiles.config));
  await vscode.commands.executeCommand('vscode.diff', then, now, `${runName(run)} \u2194 ${basename(uri.fsPath)}`);
}
