import * as vscode from 'vscode';
import { panelKinds } from '../protocol/panelMessages.ts';
import { Launcher } from './launch/launcher.ts';
import type { StartContext } from './launch/startRun.ts';
import type { Panels } from './panels/panels.ts';
import { describe, log } from './log.ts';
import type { RunArgument } from './run/pickRun.ts';
import type { RunNode } from './run/runTree.ts';
import type { RunWatch } from './run/runWatch.ts';

/**
 * Commands that start, stop and show runs. Their modules carry the configuration schema and the readers of metrics, so each
 * is loaded when its command is first called, not when the extension is activated.
 */
export function registerCommands(
  context: vscode.ExtensionContext,
  watch: RunWatch,
  reveal: (id: string) => Promise<void>,
): void {
  const launcher = new Launcher(context.extensionPath, watch);
  const show = async (id: string): Promise<void> => {
    await reveal(id);
    await vscode.commands.executeCommand('simdino.openCurves', id);
  };
  const start: StartContext = { context, watch, launcher, show };

  const loadStart = () => import('./launch/startRun.ts');
  const loadSweep = () => import('./launch/startSweep.ts');
  let loadedPanels: Promise<Panels> | undefined;
  const loadPanels = () => (loadedPanels ??= import('./panels/panels.ts').then((panels) => new panels.Panels(start)));

  const register = (id: string, run: (...args: never[]) => unknown): void => {
    context.subscriptions.push(
      vscode.commands.registerCommand(id, async (...args: never[]) => {
        try {
          return await run(...args);
        } catch (error) {
          log().error(`${id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
          void vscode.window.showErrorMessage(describe(error));
          return undefined;
        }
      }),
    );
  };

  register('simdino.startRun', async (argument: unknown) => (await loadStart()).startRun(start, argument));
  register('simdino.queueRun', async (argument: unknown) => (await loadStart()).startRun(start, argument, 'queued'));
  register('simdino.forkRun', async (run: RunArgument) => (await loadStart()).forkRun(start, run));
  register('simdino.resumeRun', async (run: RunArgument) => (await loadStart()).resumeRun(start, run));
  register('simdino.checkpoint.fork', async (node?: RunNode) => {
    if (node?.kind === 'checkpoint') await (await loadStart()).forkRun(start, node.id, { step: node.step });
  });
  register('simdino.checkpoint.resume', async (node?: RunNode) => {
    if (node?.kind === 'checkpoint') await (await loadStart()).resumeRun(start, node.id, node.step);
  });
  register('simdino.checkpoint.reveal', async (node?: RunNode) => {
    if (node?.kind === 'checkpoint') await (await import('./run/openFiles.ts')).revealCheckpoint(watch, node);
  });

  const loadQueue = () => import('./run/queueCommands.ts');
  register('simdino.queue.cancel', async (node?: RunNode) => (await loadQueue()).cancelQueuedRun(watch, node));
  for (const [place, to] of [
    ['moveFirst', 'first'],
    ['moveUp', 'up'],
    ['moveDown', 'down'],
  ] as const) {
    register(`simdino.queue.${place}`, async (node?: RunNode) => (await loadQueue()).moveQueuedRun(watch, node, to));
  }
  register('simdino.queue.setLimit', async () => (await loadQueue()).setLimit(watch));
  register('simdino.queue.pause', async () => (await loadQueue()).pauseQueue(watch));
  register('simdino.queue.start', () => launcher.workQueue());

  const loadStop = () => import('./run/stopRun.ts');
  register('simdino.stopRun', async (run: RunArgument) => (await loadStop()).stopRun(watch, run));
  register('simdino.checkpointRun', async (run: RunArgument) => (await loadStop()).checkpointRun(watch, run));
  register('simdino.writeReport', async (run: RunArgument, all?: RunNode[]) =>
    (await import('./launch/report.ts')).writeReport(start, run, all),
  );

  register('simdino.makePaper', async (run: RunArgument, all?: RunNode[]) =>
    (await import('./launch/paper.ts')).makePaper(start, run, all),
  );
  register('simdino.verifyPaper', async (manifest?: unknown) =>
    (await import('./launch/paper.ts')).verifyPaper(start, manifest),
  );

  register('simdino.openLook', async (run: RunArgument, all?: RunNode[]) => (await loadPanels()).openLook(run, all));
  register('simdino.previewCrops', async (config?: unknown) =>
    (await import('./launch/previewCrops.ts')).previewCrops(start, config),
  );

  register('simdino.startSweep', async (argument: unknown) => (await loadSweep()).startSweep(start, argument));
  for (const action of ['runMissing', 'pause', 'cancel'] as const) {
    register(`simdino.grid.${action}`, async (node?: RunNode) => {
      if (node?.kind === 'grid') await (await loadSweep()).controlGrid(start, node.id, action);
    });
  }

  register('simdino.openCurves', async (run: RunArgument, all?: RunNode[]) =>
    (await loadPanels()).openCurves(run, all),
  );
  register('simdino.compareRuns', async (run: RunArgument, all?: RunNode[]) =>
    (await loadPanels()).openComparison(run, all),
  );
  register('simdino.openTable', async () => (await loadPanels()).openTable());
  register('simdino.openGrid', async (grid?: RunNode | string) => (await loadPanels()).openGrid(grid));
  for (const kind of panelKinds) {
    context.subscriptions.push(
      vscode.window.registerWebviewPanelSerializer(`simdino.${kind}`, {
        deserializeWebviewPanel: async (panel, saved: unknown) => (await loadPanels()).restore(kind, panel, saved),
      }),
    );
  }

  register('simdino.compareWithLast', async (config?: unknown) =>
    (await import('./launch/compareWithLast.ts')).compareWithLast(watch, config),
  );

  register('simdino.refreshRuns', () => watch.refresh());
  register('simdino.showOutput', () => log().show());
  register('simdino.installCudaEngine', async () =>
    (await import('./engines/cudaEngine.ts')).installCudaEngine(context),
  );
}
