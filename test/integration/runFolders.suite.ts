import * as assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { currentProcess } from '../../experiments/store/processIdentity.ts';
import { metricLines, writeRun } from '../unit/store/runFolders.ts';
import { eventually, panelTabs, runIn, runsFolder, studio } from './studio.ts';

const started = { type: 'started', time: 0, step: 0 };

suite('run folders', () => {
  const made: string[] = [];
  const make = async (
    ...[id, attempts, record]: [string, Parameters<typeof writeRun>[2], string?]
  ): Promise<string> => {
    made.push(id);
    return writeRun(runsFolder(), id, attempts, record);
  };

  teardown(async () => {
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    for (const id of made.splice(0)) await rm(join(runsFolder(), id), { recursive: true, force: true });
  });

  test('made by anybody are found, with their state', async () => {
    await make('made-finished', [{ events: [started, { type: 'finished', time: 2, step: 100 }] }]);
    await make('made-crashed', [{ process: { ...currentProcess(), startTime: '1' }, events: [started] }]);
    await make('made-running', [{ process: currentProcess(), events: [started], metrics: metricLines(1, 5) }]);
    await make('実験', [], '{"version": 1, "half');

    await runIn('made-finished', ['finished']);
    await runIn('made-crashed', ['crashed']);
    const running = await runIn('made-running', ['running']);
    assert.equal(running.latest['step'], 5);
    const broken = await runIn('実験', ['crashed']);
    assert.deepEqual(broken.problems, ['run.json: it is no JSON']);
  });

  test('follow their files, and go when they are deleted', async () => {
    const folder = await make('made-followed', [{ process: currentProcess(), events: [started] }]);
    await runIn('made-followed', ['running']);
    await appendFile(join(folder, 'attempts/001/metrics.jsonl'), metricLines(1, 7));
    const { watch } = await studio();
    await eventually('step 7 is seen', 5000, () => watch.run('made-followed')?.latest['step'] === 7 || undefined);
    await rm(folder, { recursive: true });
    await eventually('the run is gone', 15_000, () => watch.run('made-followed') === undefined || undefined);
  });

  test('take notes beside what the trainer writes', async () => {
    const folder = await make('made-noted', [{ events: [started, { type: 'finished', time: 2, step: 1 }] }]);
    const record = await readFile(join(folder, 'run.json'), 'utf8');
    await runIn('made-noted', ['finished']);
    await vscode.commands.executeCommand('simdino.starRun', 'made-noted');
    await vscode.commands.executeCommand('simdino.archiveRun', 'made-noted');
    const { watch } = await studio();
    assert.deepEqual(watch.run('made-noted')?.annotations, { star: true, archived: true });
    assert.equal(await readFile(join(folder, 'run.json'), 'utf8'), record);
  });

  test('show configuration, log and curves', async () => {
    const folder = await make('made-shown', [{ events: [started], metrics: metricLines(1, 5) }]);
    await writeFile(join(folder, 'config.yaml'), 'method: simdino\n');
    await writeFile(join(folder, 'attempts/001/log.txt'), 'first\nlast\n');
    await runIn('made-shown', ['stale', 'running']);

    await vscode.commands.executeCommand('simdino.openConfig', 'made-shown');
    assert.match(vscode.window.activeTextEditor?.document.uri.fsPath ?? '', /made-shown.config\.yaml$/);
    await vscode.commands.executeCommand('simdino.openLog', 'made-shown');
    assert.match(vscode.window.activeTextEditor?.document.getText() ?? '', /last/);
    await vscode.commands.executeCommand('simdino.openCurves', 'made-shown');
    await eventually('a panel of curves', 10_000, () => panelTabs('curves').length === 1 || undefined);
  });

  test('of a name that is none are neither listed nor opened', async () => {
    await mkdir(join(runsFolder(), '<img onerror=alert(1)>'), { recursive: true });
    await mkdir(join(runsFolder(), 'a b'), { recursive: true });
    made.push('<img onerror=alert(1)>', 'a b');
    const { watch } = await studio();
    await watch.refresh();
    assert.equal(watch.run('a b'), undefined);
    assert.ok(watch.collection?.skipped.some(({ name }) => name === 'a b'));
  });

  test('are listed a thousand at a time, and what that and idling cost is told', async function () {
    this.timeout(60_000);
    const outcome = [started, { type: 'finished', time: 2, step: 1 }];
    for (let i = 0; i < 1000; i++) await make(`many-${i}`, [{ events: outcome, metrics: metricLines(1, 3) }]);
    const { watch } = await studio();
    const begunMs = performance.now();
    await watch.refresh();
    const listedMs = performance.now() - begunMs;
    assert.ok((watch.collection?.runs.size ?? 0) >= 1000);

    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const { user, system } = process.cpuUsage(before);
    const share = (user + system) / 1000 / 10_000;
    console.log(`1,000 runs listed in ${listedMs.toFixed(0)} ms; idle ${(100 * share).toFixed(2)} % of a core`);
  });
});
