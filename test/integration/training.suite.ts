import * as assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { isSameProcessAlive } from '../../experiments/store/liveness.ts';
import { readRunMetrics } from '../../experiments/store/runMetrics.ts';
import { eventually, panelTabs, runIn, runsFolder, studio, workspacePath } from './studio.ts';

const start = async (config: string): Promise<string> => {
  const id = await vscode.commands.executeCommand<string | undefined>(
    'simdino.startRun',
    vscode.Uri.file(workspacePath(config)),
  );
  assert.ok(id, `${config} did not start`);
  return id;
};

suite('training', function () {
  this.timeout(180_000);
  teardown(() => vscode.commands.executeCommand('workbench.action.closeAllEditors'));

  test('runs to its end and shows its curves', async () => {
    const id = await start('tiny.yaml');
    assert.match(id, /^tiny-\d{8}-\d{6}/);
    await eventually('a panel of curves', 10_000, () => panelTabs('curves').length === 1 || undefined);
    const run = await runIn(id, ['finished'], 120_000);
    assert.ok(Number.isFinite(run.latest['loss']));
    assert.ok((run.latest['knnTop1'] ?? 0) > 0);
  });

  test('is a process of its own, stops at a checkpoint, and resumes from it', async () => {
    const id = await start('long.yaml');
    const running = await runIn(id, ['running'], 60_000);
    const identity = running.lastAttempt?.process;
    assert.ok(identity && isSameProcessAlive(identity));
    if (existsSync(`/proc/${identity.pid}/stat`)) {
      const stat = readFileSync(`/proc/${identity.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      assert.equal(stat[3], String(identity.pid), 'the trainer leads a session of its own');
    }

    await vscode.commands.executeCommand('simdino.stopRun', id);
    const stopped = await runIn(id, ['stopped'], 60_000);
    const checkpoints = await readdir(join(stopped.folder, 'checkpoints'));
    assert.ok(checkpoints.some((name) => name.startsWith('step-')));
    await eventually('the trainer is gone', 20_000, () => !isSameProcessAlive(identity) || undefined);

    await vscode.commands.executeCommand('simdino.resumeRun', id);
    const resumed = await runIn(id, ['running'], 60_000);
    assert.equal(resumed.attemptCount, 2);
    const { table } = await readRunMetrics(resumed.folder);
    const steps = [...table.step];
    assert.deepEqual(
      steps,
      [...steps].sort((a, b) => a - b),
      'steps ascend over both attempts',
    );
    await vscode.commands.executeCommand('simdino.stopRun', id);
    await runIn(id, ['stopped'], 60_000);
  });

  test('that is killed shows as crashed within seconds', async () => {
    const id = await start('long.yaml');
    const { lastAttempt } = await runIn(id, ['running'], 60_000);
    assert.ok(lastAttempt);
    process.kill(lastAttempt.process.pid, 'SIGKILL');
    await runIn(id, ['crashed'], 5000);
  });

  test('does not start from a configuration with errors', async () => {
    const { watch } = await studio();
    const path = workspacePath('faulty.simdino.yaml');
    await writeFile(path, 'extends: tiny\nloss:\n  epsilon: 0.3\n');
    const before = watch.collection?.runs.size;
    // The message waits for an answer, and the command with it.
    const outcome = await Promise.race([
      vscode.commands.executeCommand('simdino.startRun', vscode.Uri.file(path)).then(() => 'returned'),
      new Promise((resolve) => setTimeout(() => resolve('asks'), 3000)),
    ]);
    assert.ok(outcome === 'asks' || outcome === 'returned');
    await watch.refresh();
    assert.equal(watch.collection?.runs.size, before);
    assert.equal(
      (await readdir(runsFolder())).some((name) => name.startsWith('faulty')),
      false,
    );
    await vscode.commands.executeCommand('notifications.clearAll');
  });
});
