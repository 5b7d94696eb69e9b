import * as vscode from 'vscode';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import { formatMetric } from '../../experiments/formatMetric.ts';
import { inBackground } from '../log.ts';
import { runName } from './runText.ts';
import type { RunWatch } from './runWatch.ts';

/** Says once, in the window that saw it train, that a run has ended. Cells of a grid end silently: the grid shows them. */
export function notifyEnds(context: vscode.ExtensionContext, watch: RunWatch): void {
  context.subscriptions.push(
    watch.onDidChange(({ ended }) => {
      for (const run of ended) {
        if (run.record?.sweep || watch.endedByForce.delete(run.id)) continue;
        inBackground('notification', notify(run));
      }
    }),
  );
}

async function notify(run: RunOverview): Promise<void> {
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
