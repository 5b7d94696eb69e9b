import { join } from 'node:path';
import * as vscode from 'vscode';
import { attemptFiles, attemptName, checkpointName, runFiles } from '../../protocol/runFolder.ts';
import { launchLogPath } from '../launch/spawnRuntime.ts';
import { pickRun, type RunArgument } from './pickRun.ts';
import type { RunWatch } from './runWatch.ts';

/** Commands that open what is in a run folder: configuration, log, the folder itself. */
export function registerOpenFiles(context: vscode.ExtensionContext, watch: RunWatch): void {
  context.subscriptions.push(
    vscode.commands.registerCommand('simdino.openConfig', async (argument: RunArgument) => {
      const run = await pickRun(watch, argument, { title: vscode.l10n.t('Open configuration') });
      if (run) await openText(join(run.folder, runFiles.config));
    }),
    vscode.commands.registerCommand('simdino.openLog', async (argument: RunArgument) => {
      const run = await pickRun(watch, argument, { title: vscode.l10n.t('Open log') });
      if (!run) return;
      if (run.attemptCount === 0) {
        const collection = watch.collection;
        // A run that never made it to an attempt: what its process printed is all there is.
        if (collection) await openText(launchLogPath(collection.folder, run.id));
        return;
      }
      const attempt = attemptName(run.lastAttempt?.index ?? run.attemptCount);
      await openText(join(run.folder, runFiles.attempts, attempt, attemptFiles.log), 'end');
    }),
    vscode.commands.registerCommand('simdino.revealRunFolder', async (argument: RunArgument) => {
      const run = await pickRun(watch, argument, { title: vscode.l10n.t('Reveal run folder') });
      if (!run) return;
      await reveal(vscode.Uri.file(run.folder));
    }),
  );
}

/** "Reveal checkpoint": its folder in the explorer. */
export async function revealCheckpoint(watch: RunWatch, { id, step }: { id: string; step: number }): Promise<void> {
  const run = await pickRun(watch, id, { title: vscode.l10n.t('Reveal checkpoint') });
  if (run) await reveal(vscode.Uri.file(join(run.folder, runFiles.checkpoints, checkpointName(step))));
}

/** The explorer works in every host; a file manager only where the desktop is. */
async function reveal(uri: vscode.Uri): Promise<void> {
  const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  await vscode.commands.executeCommand(inWorkspace ? 'revealInExplorer' : 'revealFileInOS', uri);
}

/** Opens a file of any size in a preview editor, at its start or its end. */
async function openText(path: string, cursor: 'start' | 'end' = 'start'): Promise<void> {
  const uri = vscode.Uri.file(path);
  try {
    await vscode.workspace.fs.stat(uri);
  } catch {
    void vscode.window.showWarningMessage(vscode.l10n.t('{0} is not there.', path));
    return;
  }
  // The editor moves a position behind the end of the text to its end.
  const line = cursor === 'end' ? 1_000_000_000 : 0;
  const options: vscode.TextDocumentShowOptions = { preview: true, selection: new vscode.Range(line, 0, line, 0) };
  await vscode.commands.executeCommand('vscode.open', uri, options);
}
