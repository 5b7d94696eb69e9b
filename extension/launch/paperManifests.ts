import * as vscode from 'vscode';
import { isPaperManifestText, manifestFile } from '../../experiments/paperManifest.ts';
import { inBackground } from '../log.ts';

/** Many tools write a file of this name; more of them than anybody makes tables are not looked at. */
const mostFiles = 200;
/** Larger than the manifest of a thousand runs. */
const mostBytes = 16 * 2 ** 20;
const settleMs = 500;

/** The manifests of paper tables in the workspace, told from other files of that name by what is in them. */
export async function paperManifests(): Promise<vscode.Uri[]> {
  const found = await vscode.workspace.findFiles(`**/${manifestFile}`, '**/{node_modules,runs,dist}/**', mostFiles);
  const ours = await Promise.all(found.map(isOurs));
  return found.filter((_, i) => ours[i]);
}

/** Keeps the context key that offers to verify a manifest, and nothing that only has its name, in the explorer. */
export function offerVerification(context: vscode.ExtensionContext): void {
  const look = async (): Promise<void> => {
    const paths = (await paperManifests()).map(({ fsPath }) => fsPath);
    await vscode.commands.executeCommand('setContext', 'simdino.paperManifests', paths);
  };
  let timer: NodeJS.Timeout | undefined;
  const lookSoon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => inBackground('paper manifests', look()), settleMs);
  };
  const watcher = vscode.workspace.createFileSystemWatcher(`**/${manifestFile}`);
  context.subscriptions.push(
    watcher,
    watcher.onDidCreate(lookSoon),
    watcher.onDidChange(lookSoon),
    watcher.onDidDelete(lookSoon),
    vscode.workspace.onDidChangeWorkspaceFolders(lookSoon),
    { dispose: () => clearTimeout(timer) },
  );
  lookSoon();
}

async function isOurs(uri: vscode.Uri): Promise<boolean> {
  try {
    if ((await vscode.workspace.fs.stat(uri)).size > mostBytes) return false;
    return isPaperManifestText(new TextDecoder().decode(await vscode.workspace.fs.readFile(uri)));
  } catch {
    return false; // gone in the meantime
  }
}
