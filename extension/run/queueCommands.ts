import { join } from 'node:path';
import * as vscode from 'vscode';
import { writeRequest } from '../../experiments/store/controlRequest.ts';
import {
  cancelQueued,
  defaultQueueLimit,
  limitOf,
  moveQueued,
  setQueueLimit,
  type QueuedRun,
} from '../../experiments/store/queue.ts';
import { queueFiles, queueFolder } from '../../protocol/runFolder.ts';
import { toolName } from '../settings.ts';
import type { RunNode } from './runTree.ts';
import type { RunWatch } from './runWatch.ts';

/** "Take out of the queue" on a waiting run. */
export async function cancelQueuedRun(watch: RunWatch, node: RunNode | string | undefined): Promise<void> {
  const { collection } = watch;
  const runId = await waitingRun(watch, node, vscode.l10n.t('Take out of the queue'));
  if (!collection || runId === undefined) return;
  if (!(await cancelQueued(collection.folder, runId))) {
    void vscode.window.showInformationMessage(vscode.l10n.t('{0} is being started; it can be stopped then.', runId));
  }
  await watch.refresh();
}

export async function moveQueuedRun(
  watch: RunWatch,
  node: RunNode | string | undefined,
  to: 'first' | 'up' | 'down' | 'last',
): Promise<void> {
  const { collection } = watch;
  const runId = await waitingRun(watch, node, vscode.l10n.t('Move in the queue'));
  if (!collection || runId === undefined) return;
  await moveQueued(collection.folder, runId, to, collection.liveness);
  await watch.refresh();
}

/** "Set queue limit": how many runs train on a device at the same time. */
export async function setLimit(watch: RunWatch): Promise<void> {
  const { collection } = watch;
  if (!collection) return;
  const { queue } = collection;
  const known = [
    'cpu',
    'gpu',
    ...Object.keys(queue.limits),
    ...queue.runs.map(({ record }) => record?.device ?? 'cpu'),
  ];
  const devices = [...new Set(known)].map((device) => ({
    label: device,
    description: vscode.l10n.t('{0} at a time', limitOf(queue, device)),
  }));
  const device = (await vscode.window.showQuickPick(devices, { title: vscode.l10n.t('Limit of which device?') }))
    ?.label;
  if (device === undefined) return;
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t('Runs on {0} at the same time', device),
    prompt: vscode.l10n.t('0 holds all of them back. {0} where nobody says otherwise.', defaultQueueLimit),
    value: String(limitOf(queue, device)),
    validateInput: (value) =>
      /^\d{1,4}$/.test(value.trim()) ? undefined : vscode.l10n.t('A whole number of runs, 0 or more.'),
  });
  if (text === undefined) return;
  await setQueueLimit(collection.folder, device, Number(text));
  await watch.refresh();
}

/** "Pause queue": launch nothing more. */
export async function pauseQueue(watch: RunWatch): Promise<void> {
  const { collection } = watch;
  if (!collection || collection.queue.scheduler !== 'running') return;
  await writeRequest(join(collection.folder, queueFolder, queueFiles.scheduler), 'pause', toolName);
  await watch.refresh();
}

async function waitingRun(
  watch: RunWatch,
  node: RunNode | string | undefined,
  title: string,
): Promise<string | undefined> {
  if (typeof node === 'string') return node;
  if (node?.kind === 'queued') return node.id;
  const runs: QueuedRun[] = watch.collection?.queue.runs ?? [];
  if (runs.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('Nothing waits in the queue.'));
    return undefined;
  }
  return vscode.window.showQuickPick(
    runs.map(({ runId }) => runId),
    { title },
  );
}
