import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';

interface Manifest {
  contributes: { commands: { command: string }[] };
}

suite('The installed extension', () => {
  const extension = vscode.extensions.getExtension('simdino-studio.simdino-studio');

  test('is there, from its package', () => {
    assert.ok(extension, 'simdino-studio is not installed');
    assert.ok(readFileSync(join(extension.extensionPath, 'dist', 'simdino.mjs')).length > 0);
  });

  test('activates and registers every command of its manifest', async () => {
    assert.ok(extension);
    await extension.activate();
    const registered = new Set(await vscode.commands.getCommands(true));
    const { contributes } = extension.packageJSON as Manifest;
    const missing = contributes.commands.map(({ command }) => command).filter((command) => !registered.has(command));
    assert.deepEqual(missing, []);
  });
});
