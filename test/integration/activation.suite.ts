import * as assert from 'node:assert/strict';
import { availableParallelism, loadavg } from 'node:os';
import * as vscode from 'vscode';
import { eventually, studio } from './studio.ts';

suite('activation', () => {
  test('takes less than 50 ms', async () => {
    const { activationMs } = await studio();
    // On a machine with more to do than it has cores, time passes while others run.
    const crowd = Math.max(1, loadavg()[0]! / availableParallelism());
    assert.ok(activationMs < 50 * crowd, `activated in ${activationMs.toFixed(1)} ms at a load of ${crowd.toFixed(1)}`);
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
