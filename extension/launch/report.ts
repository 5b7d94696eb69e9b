import { join } from 'node:path';
import * as vscode from 'vscode';
import { pickRuns, type RunArgument } from '../run/pickRun.ts';
import type { RunNode } from '../run/runTree.ts';
import { workspaceFolder } from '../settings.ts';
import type { StartContext } from './startRun.ts';

/** "Write report": one self-contained HTML file about some runs. */
export async function writeReport(
  { watch, launcher }: StartContext,
  argument: RunArgument,
  selection?: readonly RunNode[],
): Promise<void> {
  const runsFolder = launcher.requireRunsFolder();
  if (runsFolder === undefined) return;
  const runs = await pickRuns(watch, argument, selection, { title: vscode.l10n.t('Write report') });
  if (!runs || runs.length === 0) return;
  const [first] = runs;
  const name = runs.length === 1 && first ? `${first.id}.html` : 'report.html';
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(join(workspaceFolder() ?? runsFolder, name)),
    filters: { HTML: ['html'] },
  });
  if (!target) return;
  const args = ['report', ...runs.map(({ id }) => id), '--runs-dir', runsFolder, '--output', target.fsPath];
  if (!(await launcher.runToEnd(vscode.l10n.t('Writing the report'), args, 'report'))) return;
  const open = vscode.l10n.t('Open in browser');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('Wrote {0}.', vscode.workspace.asRelativePath(target)),
    open,
  );
  if (answer === open) await vscode.env.openExternal(target);
}
