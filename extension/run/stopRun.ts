import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import { isActive } from '../../experiments/status.ts';
import { writeRequest } from '../../experiments/store/controlRequest.ts';
import { cancelWaitingJob } from '../../experiments/store/runJobs.ts';
import { killTree } from '../../experiments/store/killTree.ts';
import { isSameProcessAlive } from '../../experiments/store/liveness.ts';
import { inBackground, log } from '../log.ts';
import { toolName } from '../settings.ts';
import { pickRun, type RunArgument } from './pickRun.ts';
import { runName } from './runText.ts';
import type { RunWatch } from './runWatch.ts';

/** A trainer that has not taken a request by then is asked by a signal as well, if it is on this host. */
const signalAfterMs = 4000;
/** A trainer that still works by then may hang: ending it without a checkpoint is offered. */
const offerKillAfterMs = 30_000;

/** "Stop": asks for a checkpoint and the end of the run, which works from any host. Only ending it by force asks back. */
export async function stopRun(watch: RunWatch, argument: RunArgument): Promise<void> {
  const run = await pickRun(watch, argument, {
    title: vscode.l10n.t('Stop run'),
    filter: ({ state }) => isActive(state) || state === 'stale' || state === 'queued',
  });
  if (!run) return;
  if (run.state === 'queued' && (await cancelWaitingJob(run.folder))) {
    log().info(`${run.id}: taken back from its cluster (${run.job})`);
    await watch.refresh(run.id);
    return;
  }
  if (!isActive(run.state) && run.state !== 'stale') {
    void vscode.window.showInformationMessage(vscode.l10n.t('{0} is not running.', runName(run)));
    return;
  }
  const request = await writeRequest(run.folder, 'stop', toolName);
  log().info(`${run.id}: stop requested (${request.id})`);
  await watch.refresh(run.id);
  inBackground(`stop ${run.id}`, followStop(watch, run.id));
}

/** "Write checkpoint now": asks a training run for a checkpoint at its next step. */
export async function checkpointRun(watch: RunWatch, argument: RunArgument): Promise<void> {
  const title = vscode.l10n.t('Write checkpoint now');
  const run = await pickRun(watch, argument, { title, filter: ({ state }) => isActive(state) });
  if (!run) return;
  await writeRequest(run.folder, 'checkpoint', toolName);
  void vscode.window.setStatusBarMessage(vscode.l10n.t('Asked {0} for a checkpoint', runName(run)), 5000);
}

async function followStop(watch: RunWatch, id: string): Promise<void> {
  const startedMs = performance.now();
  let signalled = false;
  while (performance.now() - startedMs < offerKillAfterMs) {
    await sleep(500);
    const run = watch.run(id);
    if (!run || !(isActive(run.state) || run.state === 'stale')) return;
    const identity = run.lastAttempt?.process;
    const isOverdue = performance.now() - startedMs >= signalAfterMs && run.state !== 'stopping';
    // Windows ends a process at a signal instead of telling it.
    if (isOverdue && !signalled && identity && process.platform !== 'win32' && isSameProcessAlive(identity)) {
      signalled = true;
      log().info(`${id}: no answer to the request, SIGTERM to process ${identity.pid}`);
      process.kill(identity.pid, 'SIGTERM');
    }
  }
  await offerKill(watch, id);
}

async function offerKill(watch: RunWatch, id: string): Promise<void> {
  const run = watch.run(id);
  const identity = run?.lastAttempt?.process;
  if (!run || !identity) return;
  if (!isSameProcessAlive(identity)) {
    void vscode.window.showWarningMessage(
      vscode.l10n.t(
        '{0} runs on {1} and has not answered yet; the request stays in its folder.',
        runName(run),
        identity.hostname,
      ),
    );
    return;
  }
  const kill = vscode.l10n.t('End its processes');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('{0} has not stopped yet.', runName(run)),
    kill,
    vscode.l10n.t('Wait'),
  );
  if (answer !== kill) return;
  const sure = await vscode.window.showWarningMessage(
    vscode.l10n.t('End {0} by force?', runName(run)),
    {
      modal: true,
      detail: vscode.l10n.t('The steps since its last checkpoint are lost. It can be resumed from there.'),
    },
    kill,
  );
  if (sure !== kill) return;
  watch.endedByForce.add(id);
  const pids = await killTree(identity);
  log().info(`${id}: ended ${pids.join(', ')}`);
  await watch.refresh(id);
}
