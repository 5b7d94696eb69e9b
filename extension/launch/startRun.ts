import { join } from 'node:path';
import * as vscode from 'vscode';
import { stemOf } from '../../experiments/runId.ts';
import { isResumable } from '../../experiments/status.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import { errors } from '../../protocol/errors.ts';
import { isImportedLog, type JsonScalar, type RunRecord } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { pickRun, type RunArgument } from '../run/pickRun.ts';
import { runName } from '../run/runText.ts';
import type { RunWatch } from '../run/runWatch.ts';
import { askChanges, type StartHow } from './askChanges.ts';
import { checkBeforeStart } from './checkConfig.ts';
import type { Launcher, NewRunOptions } from './launcher.ts';
import { pickForkStep } from './pickCheckpoint.ts';
import { pickConfig } from './pickConfig.ts';

/** What the commands that start something need. */
export interface StartContext {
  context: vscode.ExtensionContext;
  watch: RunWatch;
  launcher: Launcher;
  /** Shows a run that was started: in the tree and by its curves. */
  show: (id: string) => Promise<void>;
}

/**
 * "Start SimDINO run" and "Queue SimDINO run": choose a configuration (or take the one of the open file), check it, start it or
 * let it wait for its device, show it.
 */
export async function startRun(
  start: StartContext,
  argument: unknown,
  how: StartHow = 'now',
): Promise<string | undefined> {
  const { context, launcher } = start;
  const runsFolder = launcher.requireRunsFolder();
  if (runsFolder === undefined) return undefined;
  const { presetsFolder } = launcher;
  const title = how === 'now' ? vscode.l10n.t('Start SimDINO run') : vscode.l10n.t('Queue SimDINO run');
  const given = argument instanceof vscode.Uri ? { path: argument.fsPath, change: false } : undefined;
  const choice = given ?? (await pickConfig(context, 'config', presetsFolder, title));
  if (!choice) return undefined;
  await saveIfOpen(choice.path);
  const changes = choice.change
    ? await askChanges(choice.path, presetsFolder, { reason: vscode.l10n.t('Start with changes'), how })
    : { set: {}, how };
  if (!changes || !(await checkBeforeStart(choice.path, changes.set, { presetsFolder, runsFolder }))) return undefined;
  return launchNew(start, choice.path, { set: changes.set }, changes.how);
}

/** What a fork starts with; asked for where it is not given. */
export interface ForkProposal {
  changes?: Record<string, JsonScalar>;
  reason?: string;
  /** The checkpoint to go on from; 0 is the beginning. */
  step?: number;
}

/** "Start from run": a new run with a run's configuration and some values changed, from the beginning or from a checkpoint. */
export async function forkRun(
  start: StartContext,
  argument: RunArgument,
  proposal: ForkProposal = {},
): Promise<string | undefined> {
  const { watch, launcher } = start;
  const runsFolder = launcher.requireRunsFolder();
  if (runsFolder === undefined) return undefined;
  const run = await pickRun(watch, argument, {
    title: vscode.l10n.t('Start from run'),
    filter: ({ record }) => record !== null && !(isImportedLog(record) && record.trainImages === 0),
  });
  if (!run) return undefined;
  const { record } = run;
  const isImported = record !== null && isImportedLog(record);
  if (isImported && (record.trainImages === 0 || (proposal.step ?? 0) > 0)) {
    sayImported(run.id, record);
    return undefined;
  }
  const step = proposal.step ?? (await pickForkStep(run));
  if (step === undefined) return undefined;
  const { presetsFolder } = launcher;
  const configPath = join(run.folder, runFiles.config);
  const reason =
    proposal.reason ||
    (step === 0
      ? vscode.l10n.t('Start from {0}', runName(run))
      : vscode.l10n.t('Start from {0} at step {1}', runName(run), step));
  const answer = await askChanges(configPath, presetsFolder, { initial: proposal.changes ?? {}, reason, how: 'now' });
  if (!answer || !(await checkBeforeStart(configPath, answer.set, { presetsFolder, runsFolder }))) return undefined;
  const { set, how } = answer;
  // What a log was imported from is no configuration.
  const source = isImported ? undefined : record?.configSource;
  const options = { set, named: stemOf(run.id), parent: { id: run.id, step }, ...(source ? { source } : {}) };
  return launchNew(start, configPath, options, how);
}

/** "Resume": the next attempt of a run, from its newest checkpoint, or from the one of a step. */
export async function resumeRun(
  { watch, launcher, show }: StartContext,
  argument: RunArgument,
  from?: number,
): Promise<void> {
  const run = await pickRun(watch, argument, {
    title: vscode.l10n.t('Resume'),
    filter: ({ state, record }) => isResumable(state) && !(record && isImportedLog(record)),
  });
  if (!run) return;
  if (run.record && isImportedLog(run.record)) {
    sayImported(run.id, run.record);
    return;
  }
  // From an earlier checkpoint, a finished run can compute its end again.
  if (!isResumable(run.state) && !(from !== undefined && run.state === 'finished')) {
    void vscode.window.showInformationMessage(whyNotResumable(run));
    return;
  }
  if (await launcher.resume(run, from)) await show(run.id);
}

async function launchNew(
  { launcher, show }: StartContext,
  configPath: string,
  options: NewRunOptions,
  how: StartHow,
): Promise<string | undefined> {
  if (how === 'now') {
    const id = await launcher.train(configPath, options);
    if (id !== undefined) await show(id);
    return id;
  }
  const id = await launcher.queue(configPath, options);
  if (id !== undefined) {
    void vscode.window.showInformationMessage(vscode.l10n.t('{0} starts when its device is free.', id));
  }
  return id;
}

function sayImported(id: string, { configSource, trainImages }: RunRecord): void {
  void vscode.window.showInformationMessage(errors.runImported(id, configSource, trainImages > 0).message);
}

function whyNotResumable(run: RunOverview): string {
  return run.state === 'finished'
    ? vscode.l10n.t('{0} has finished. Start a new run from it to go on.', runName(run))
    : vscode.l10n.t('{0} can\u2019t be resumed while it may still be running.', runName(run));
}

/** What is started is the file on disk: an editor with changes is saved first. */
async function saveIfOpen(path: string): Promise<void> {
  const document = vscode.workspace.textDocuments.find(({ uri, isDirty }) => isDirty && uri.fsPath === path);
  await document?.save();
}
