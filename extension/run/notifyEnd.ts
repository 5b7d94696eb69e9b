import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { EndedGrid, Ending } from '../../experiments/endWatch.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import { formatMetric } from '../../experiments/formatMetric.ts';
import { inBackground } from '../log.ts';
import { launchLogPath } from '../launch/spawnRuntime.ts';
import { claimOnce } from './claimOnce.ts';
import { runName } from './runText.ts';
import type { RunWatch } from './runWatch.ts';

/** How long a window that nobody looks at leaves it to another one to speak first. */
const unfocusedDelayMs = 1500;

/** Says once, in one of the windows that look on, that a run or a grid has ended. Cells of a grid end silently: the grid tells. */
export function notifyEnds(context: vscode.ExtensionContext, watch: RunWatch): void {
  const claims = join(context.globalStorageUri.fsPath, 'told');
  const notify = async (ending: Ending): Promise<void> => {
    const folder = watch.collection?.folder;
    if (!vscode.window.state.focused) await sleep(unfocusedDelayMs);
    if (await claimOnce(claims, `${folder} ${keyOf(ending)}`, Date.now())) await tell(ending, folder);
  };
  context.subscriptions.push(
    watch.onDidChange(({ ended }) => {
      for (const ending of ended) {
        if (ending.kind === 'run' && watch.endedByForce.delete(ending.run.id)) continue;
        inBackground('notification', notify(ending));
      }
    }),
  );
}

/** The same in every window that sees this end, and another one when it ends again. */
function keyOf(ending: Ending): string {
  switch (ending.kind) {
    case 'run':
      return `run ${ending.run.id} ${ending.run.attemptCount}`;
    case 'grid':
      return `grid ${ending.grid.id} ${ending.grid.work}`;
    case 'unstarted':
      return `unstarted ${ending.runId} ${ending.launch}`;
  }
}

function tell(ending: Ending, folder: string | undefined): Promise<void> {
  switch (ending.kind) {
    case 'run':
      return tellRun(ending.run);
    case 'grid':
      return tellGrid(ending.grid);
    case 'unstarted':
      return tellUnstarted(ending.runId, folder);
  }
}

async function tellGrid({ id, how, counts, failedRun }: EndedGrid): Promise<void> {
  const { all, finished, failed, left, running } = counts;
  const showGrid = vscode.l10n.t('Show grid');
  const openLog = vscode.l10n.t('Open log of a failed run');
  const runRest = vscode.l10n.t('Run missing and failed cells');
  const parts = [
    vscode.l10n.t('{0} of {1} runs finished', finished, all),
    ...(failed > 0 ? [vscode.l10n.t('{0} failed', failed)] : []),
    ...(running > 0 ? [vscode.l10n.t('{0} still running', running)] : []),
    ...(left > 0 ? [vscode.l10n.t('{0} left', left)] : []),
  ].join(', ');
  const isWhole = finished === all;
  const message = {
    ended: isWhole
      ? vscode.l10n.t('The grid {0} has finished: {1}.', id, parts)
      : vscode.l10n.t('The grid {0} has ended: {1}.', id, parts),
    paused: vscode.l10n.t('The grid {0} is paused: {1}.', id, parts),
    cancelled: vscode.l10n.t('The grid {0} was cancelled: {1}.', id, parts),
  }[how];
  const actions = [
    showGrid,
    ...(failedRun === null ? [] : [openLog]),
    ...(how === 'ended' && failed + left > 0 ? [runRest] : []),
  ];
  const isFailure = failed > 0 || (how === 'ended' && !isWhole);
  const answer = isFailure
    ? await vscode.window.showErrorMessage(message, ...actions)
    : await vscode.window.showInformationMessage(message, ...actions);
  if (answer === showGrid) await vscode.commands.executeCommand('simdino.openGrid', id);
  if (answer === openLog) await vscode.commands.executeCommand('simdino.openLog', failedRun);
  if (answer === runRest) await vscode.commands.executeCommand('simdino.grid.runMissing', { kind: 'grid', id });
}

async function tellUnstarted(runId: string, folder: string | undefined): Promise<void> {
  const openLog = vscode.l10n.t('Open log');
  const answer = await vscode.window.showErrorMessage(
    vscode.l10n.t('{0} was launched by the queue and ended before it began.', runId),
    openLog,
  );
  if (answer === openLog && folder !== undefined)
    await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(launchLogPath(folder, runId)));
}

async function tellRun(run: RunOverview): Promise<void> {
  const showCurves = vscode.l10n.t('Show curves');
  const openLog = vscode.l10n.t('Open log');
  const resume = vscode.l10n.t('Resume');
  const name = runName(run);
  const knn = run.latest['knnTop1'];
  let answer: string | undefined;
  switch (run.state) {
    case 'finished':
      answer = await vscode.window.showInformationMessage(
        knn === undefined
          ? vscode.l10n.t('{0} has finished.', name)
          : vscode.l10n.t('{0} has finished: k-NN {1}.', name, formatMetric('knnTop1', knn)),
        showCurves,
        openLog,
      );
      break;
    case 'stopped':
      answer = await vscode.window.showInformationMessage(
        vscode.l10n.t('{0} has stopped at a checkpoint.', name),
        resume,
        openLog,
      );
      break;
    case 'failed':
      answer = await vscode.window.showErrorMessage(
        vscode.l10n.t('{0} has failed: {1}', name, run.outcome?.type === 'failed' ? run.outcome.message : ''),
        openLog,
        showCurves,
      );
      break;
    default:
      answer = await vscode.window.showErrorMessage(
        vscode.l10n.t('The process of {0} is gone without having said why.', name),
        openLog,
        resume,
      );
  }
  if (answer === showCurves) await vscode.commands.executeCommand('simdino.openCurves', run.id);
  if (answer === openLog) await vscode.commands.executeCommand('simdino.openLog', run.id);
  if (answer === resume) await vscode.commands.executeCommand('simdino.resumeRun', run.id);
}
