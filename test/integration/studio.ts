/// <reference types="mocha" />
import * as assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { SimdinoApi } from '../../extension/extension.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import type { RunState } from '../../protocol/records.ts';

/** The extension as it runs in this host. */
export async function studio(): Promise<SimdinoApi> {
  const extension = vscode.extensions.getExtension<SimdinoApi>('simdino-studio.simdino-studio');
  assert.ok(extension, 'SimDINO Studio is not installed in this host');
  return extension.activate();
}

export function workspacePath(...parts: string[]): string {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder, 'the suites need a workspace folder');
  return join(folder.uri.fsPath, ...parts);
}

export const runsFolder = (): string => workspacePath('runs');

/** Waits until a run is in one of some states, as the extension sees it. */
export async function runIn(id: string, states: RunState[], timeoutMs = 30_000): Promise<RunOverview> {
  const { watch } = await studio();
  return eventually(`${id} is ${states.join(' or ')}`, timeoutMs, () => {
    const run = watch.run(id);
    return run && states.includes(run.state) ? run : undefined;
  });
}

/** Waits for a value; fails with what was waited for. */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The open tabs that show a panel of this kind. */
export function panelTabs(kind: string): vscode.Tab[] {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  return tabs.filter(
    ({ input }) => input instanceof vscode.TabInputWebview && input.viewType.endsWith(`simdino.${kind}`),
  );
}

/** Closes all editors; a changed text would ask whether to be kept, and wait for an answer. */
export async function closeWithoutSaving(): Promise<void> {
  for (let left = 20; left > 0; left--) {
    // One that is not in front would ask whether to save it.
    const changed = vscode.workspace.textDocuments.find(({ isDirty, isClosed }) => isDirty && !isClosed);
    if (!changed) break;
    await vscode.window.showTextDocument(changed);
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  }
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}
