import { isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';

/** Who asks, in requests to trainers and schedulers. */
export const toolName = 'SimDINO Studio';

/** The workspace folder that runs belong to: the first one of the window that is on disk. */
export function workspaceFolder(): string | undefined {
  return vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri.fsPath;
}

/** Where run folders are, absolute; undefined without a workspace folder. */
export function runsFolder(): string | undefined {
  const configured = vscode.workspace.getConfiguration('simdino').get<string>('runsFolder')?.trim() || 'runs';
  if (isAbsolute(configured)) return configured;
  const folder = workspaceFolder();
  return folder === undefined ? undefined : join(folder, configured);
}

/** The Node executable that a person chose for the runtime; empty when none was. */
export function configuredNodePath(): string {
  return vscode.workspace.getConfiguration('simdino').get<string>('runtime.nodePath')?.trim() ?? '';
}
