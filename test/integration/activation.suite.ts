import * as assert from 'node:assert/strict';
import { loadavg } from 'node:os';
import * as vscode from 'vscode';
import { eventually, studio } from './studio.ts';

suite('activation', () => {
  test('is timed', async () => {
    const { activationMs } = await studio();
    assert.ok(activationMs > 0);
    console.log(`activated in ${activationMs.toFixed(1)} ms at a load of ${loadavg()[0]!.toFixed(1)}`);
  });

  test('registers every command of the manifest', async () => {
    await studio();
    const extension = vscode.extensions.getExtension('simdino-studio.simdino-studio');
    const manifest = extension?.packageJSON as { contributes: { commands: { command: string }[] } };
    const wanted = manifest.contributes.commands.map(({ command }) => command);
    assert.ok(wanted.length > 20);
    // What the editor does with YAML is registered right after activation.
    const missing = await eventually('all commands are registered', 10_000, async () => {
      const registered = new Set(await vscode.commands.getCommands(true));
      const left = wanted.filter((command) => !registered.has(command));
      return left.length === 0 ? left : undefined;
    });
    assert.deepEqual(missing, []);
  });

  test('runs beside the files, not in the browser', () => {
    const extension = vscode.extensions.getExtension('simdino-studio.simdino-studio');
    const manifest = extension?.packageJSON as {
      extensionKind: string[];
      capabilities: { untrustedWorkspaces: { supported: string } };
    };
    assert.deepEqual(manifest.extensionKind, ['workspace']);
    assert.equal(manifest.capabilities.untrustedWorkspaces.supported, 'limited');
  });
});
