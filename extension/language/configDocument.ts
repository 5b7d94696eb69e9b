import * as vscode from 'vscode';
import type { AnalysedDocuments } from './analysedDocuments.ts';

/** Files looked at when no configuration is open. */
const mostFiles = 200;
const passedOver = '**/{node_modules,.git,dist,runs,.venv}/**';

/**
 * The configuration that a command is about: the one that it was called for, the one in the active editor, or one that
 * the person picks among the open ones and the workspace's.
 */
export async function configDocument(
  documents: AnalysedDocuments,
  argument: unknown,
): Promise<vscode.TextDocument | undefined> {
  const isConfig = (document: vscode.TextDocument): boolean => documents.of(document)?.kind === 'config';
  if (argument instanceof vscode.Uri) {
    const given = await vscode.workspace.openTextDocument(argument);
    if (isConfig(given)) return given;
    void vscode.window.showErrorMessage(vscode.l10n.t('{0} is not a SimDINO configuration.', argument.fsPath));
    return undefined;
  }
  const active = vscode.window.activeTextEditor?.document;
  if (active && isConfig(active)) return active;

  const uris = await vscode.workspace.findFiles('**/*.{yaml,yml}', passedOver, mostFiles);
  const found = await Promise.all(uris.map((uri) => vscode.workspace.openTextDocument(uri)));
  const configs = [...new Set([...documents.open(), ...found])].filter(isConfig);
  if (configs.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('No SimDINO configuration in this workspace.'));
    return undefined;
  }
  const picked = await vscode.window.showQuickPick(
    configs.map((document) => ({ label: vscode.workspace.asRelativePath(document.uri), document })),
    { title: vscode.l10n.t('Configuration'), matchOnDescription: true },
  );
  return picked?.document;
}
