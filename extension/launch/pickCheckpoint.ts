import * as vscode from 'vscode';
import { checkpointRows, type CheckpointRow } from '../../experiments/checkpointRows.ts';
import { formatBytes, formatMetric, formatNumber } from '../../experiments/formatMetric.ts';
import { readCheckpoints } from '../../experiments/store/readRun.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';

/** Where a fork begins: at step 0, or at one of a run's checkpoints. Without checkpoints there is nothing to ask. */
export async function pickForkStep(run: RunOverview): Promise<number | undefined> {
  const rows = checkpointRows(await readCheckpoints(run.folder), undefined);
  if (rows.length === 0) return 0;
  const items = [
    { label: vscode.l10n.t('From the beginning'), description: vscode.l10n.t('only the configuration'), step: 0 },
    ...rows.map((row) => ({
      label: vscode.l10n.t('From step {0}', formatNumber(row.step, 8)),
      description: describeCheckpoint(row),
      step: row.step,
    })),
  ];
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Where does the new run begin?') }))?.step;
}

function describeCheckpoint({ epoch, knnTop1, bytes }: CheckpointRow): string {
  const knn = knnTop1 === null ? [] : [`k-NN ${formatMetric('knnTop1', knnTop1)}`];
  return [vscode.l10n.t('epoch {0}', formatNumber(epoch, 3)), ...knn, formatBytes(bytes)].join(' \u00b7 ');
}
