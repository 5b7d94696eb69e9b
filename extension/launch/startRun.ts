import { join } from 'node:path';
import * as vscode from 'vscode';
import { isResumable } from '../../experiments/status.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import type { JsonScalar } from '../../protocol/records.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { pickRun, type RunArgument } from '../run/pickRun.ts';
import { runName } from '../run/runText.ts';
import type { RunWatch } from '../run/runWatch.ts';
import { askChanges } from './askChanges.ts';
import { checkBeforeStart } from './checkConfig.ts';
import type { Launcher } from './launcher.ts';
import { pickConfig } from './pickConfig.ts';

/** What the commands that start something need. */
export interface StartContext {
  context: vscode.ExtensionContext;
  watch: RunWatch;
  launcher: Launcher;
  /** Shows a run that was started: in the tree and by its curves. */
  show: (id: string) => Promise<void>;
}

/** "Start SimDINO run": choose a configuration (or take the one of the open file), check it, start it, show it. */
export async function startRun(
  { context, launcher, show }: StartContext,
  argument: unknown,
): Promise<string | undefined> {
  const runsFolder = launcher.requireRunsFolder();
  if (runsFolder === undefined) return undefined;
  const { presetsFolder } = launcher;
  const given = argument instanceof vscode.Uri ? { path: argument.fsPath, change: false } : undefined;
  const choice = given ?? (await pickConfig(context, 'config', presetsFolder, vscode.l10n.t('Start SimDINO run')));
  if (!choice) return undefined;
  await saveIfOpen(choice.path);
  const set = choice.change
    ? await askChanges(choice.path, presetsFolder, { reason: vscode.l10n.t('Start with changes') })
    : {};
  if (!set || !(await checkBeforeStart(choice.path, set, { presetsFolder, runsFolder }))) return undefined;
  const id = await launcher.train(choice.path, { set });
  if (id !== undefined) await show(id);
  return id;
}

/** "Start from run": a new run with a run's configuration and some values changed. */
export async function forkRun(
  { watch, launcher, show }: StartContext,
  argument: RunArgument,
  proposal: { changes?: Record<string, JsonScalar>; reason?: string } = {},
): Promise<string | undefined> {
  const runsFolder = launcher.requireRunsFolder();
  if (runsFolder === undefined) return undefined;
  const run = await pickRun(watch, argument, {
    title: vscode.l10n.t('Start from run'),
    filter: ({ record }) => record !== null,
  });
  if (!run) return undefined;
  const { presetsFolder } = launcher;
  const configPath = join(run.folder, runFiles.config);
  const reason = proposal.reason || vscode.l10n.t('Start from {0}', runName(run));
  const set = await askChanges(configPath, presetsFolder, { initial: proposal.changes ?? {}, reason });
  if (!set || !(await checkBeforeStart(configPath, set, { presetsFolder, runsFolder }))) return undefined;
  const id = await launcher.train(configPath, { set, named: nameWithoutTime(run.id), parent: `${run.id}:0` });
  if (id !== undefined) await show(id);
  return id;
}

/** "Resume": the next attempt of a run, from its newest checkpoint. */
export async function resumeRun({ watch, launcher, show }: StartContext, argument: RunArgument): Promise<void> {
  const run = await pickRun(watch, argument, {
    title: vscode.l10n.t('Resume'),
    filter: ({ state }) => isResumable(state),
  });
  if (!run) return;
  if (!isResumable(run.state)) {
    void vscode.window.showInformationMessage(whyNotResumable(run));
    return;
  }
  if (await launcher.resume(run)) await show(run.id);
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

/** `quickstart-20260131-142501-2` -> `quickstart` */
function nameWithoutTime(id: string): string {
  return id.replace(/-\d{8}-\d{6}(-\d+)?$/, '');
}
