import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { attemptFiles, attemptName, runFiles, sweepFiles, sweepsFolder } from '../../protocol/runFolder.ts';
import { isSimdinoError } from '../../protocol/errors.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import { describe, log } from '../log.ts';
import { configuredNodePath, runsFolder, workspaceFolder } from '../settings.ts';
import type { RunWatch } from '../run/runWatch.ts';
import { nameRun } from '../../experiments/runId.ts';
import { resolveRuntimeNode } from './runtimeNode.ts';
import { launchLogPath, spawnRuntime, waitForFile } from './spawnRuntime.ts';

export interface NewRunOptions {
  /** What the run's name is made from, in place of the configuration's. */
  named?: string;
  /** Changed values: dotted keys to YAML texts. */
  set?: Record<string, string>;
  /** What it is forked from: at step 0 with the configuration alone. */
  parent?: { id: string; step: number };
  /** Where the configuration came from, when the file is a run's. */
  source?: string;
}

/** Starts the runtime and tells how that went. All of it needs a trusted workspace with a folder. */
export class Launcher {
  constructor(
    private readonly extensionPath: string,
    private readonly watch: RunWatch,
  ) {}

  get presetsFolder(): string {
    return join(this.extensionPath, 'configs');
  }

  /** Where runs would go, or undefined after having said why nothing can be started. */
  requireRunsFolder(): string | undefined {
    if (!vscode.workspace.isTrusted) {
      void vscode.window
        .showWarningMessage(
          vscode.l10n.t('Training runs code of this workspace: trust it first.'),
          vscode.l10n.t('Manage trust'),
        )
        .then((answer) => {
          if (answer) void vscode.commands.executeCommand('workbench.trust.manage');
        });
      return undefined;
    }
    const folder = runsFolder();
    if (folder === undefined) {
      const open = vscode.l10n.t('Open folder');
      void vscode.window
        .showInformationMessage(vscode.l10n.t('Open a folder first: runs are kept in it.'), open)
        .then((answer) => {
          if (answer) void vscode.commands.executeCommand('workbench.action.files.openFolder');
        });
    }
    return folder;
  }

  /** Starts a run; its id once its folder is there, undefined when it was not made (and that was said). */
  async train(configPath: string, options: NewRunOptions = {}): Promise<string | undefined> {
    const folder = this.requireRunsFolder();
    if (folder === undefined) return undefined;
    const id = reserveName(folder, options.named ?? configPath);
    const started = await this.#launch({
      title: vscode.l10n.t('Starting {0}', id),
      args: ['train', configPath, '--runs-dir', folder, '--run-id', id, ...argumentsOf(options)],
      logPath: launchLogPath(folder, id),
      created: join(folder, id, runFiles.record),
    });
    if (!started) return undefined;
    await this.watch.refresh(id);
    return id;
  }

  /** Puts a run into the queue; its id, undefined when that failed (and was said). */
  async queue(configPath: string, options: NewRunOptions = {}): Promise<string | undefined> {
    const folder = this.requireRunsFolder();
    if (folder === undefined) return undefined;
    const id = reserveName(folder, options.named ?? configPath);
    const args = ['queue', 'add', configPath, '--runs-dir', folder, '--run-id', id, ...argumentsOf(options)];
    const title = vscode.l10n.t('Queueing {0}', id);
    if (!(await this.#launch({ title, args, logPath: launchLogPath(folder, id), created: undefined })))
      return undefined;
    await this.watch.refresh();
    return id;
  }

  /** Starts a scheduler of the queue, unless one lives. */
  async workQueue(): Promise<void> {
    const folder = this.requireRunsFolder();
    if (folder === undefined) return;
    const args = ['queue', 'start', '--runs-dir', folder];
    await this.runToEnd(vscode.l10n.t('Starting the queue'), args, 'queue');
    await this.watch.refresh();
  }

  /** Opens the next attempt of a run, at its newest checkpoint or at the one of a step. */
  async resume(run: RunOverview, from?: number): Promise<boolean> {
    const folder = this.requireRunsFolder();
    if (folder === undefined) return false;
    const nextAttempt = attemptName((run.lastAttempt?.index ?? run.attemptCount) + 1);
    const started = await this.#launch({
      title: vscode.l10n.t('Resuming {0}', run.id),
      args: ['resume', run.id, '--runs-dir', folder, ...(from === undefined ? [] : ['--from', String(from)])],
      logPath: launchLogPath(folder, run.id),
      created: join(run.folder, runFiles.attempts, nextAttempt, attemptFiles.record),
    });
    if (started) await this.watch.refresh(run.id);
    return started;
  }

  /** Makes a sweep of a file and starts its scheduler; the sweep's id. */
  async sweep(sweepPath: string): Promise<string | undefined> {
    const folder = this.requireRunsFolder();
    if (folder === undefined) return undefined;
    const id = nameRun(
      sweepPath,
      new Date(),
      (name) => isTaken(join(folder, sweepsFolder), name) || isTaken(folder, name),
    );
    const started = await this.#launch({
      title: vscode.l10n.t('Starting the grid {0}', id),
      args: ['sweep', sweepPath, '--runs-dir', folder, '--sweep-id', id],
      logPath: launchLogPath(folder, id),
      created: join(folder, sweepsFolder, id, sweepFiles.record),
    });
    if (!started) return undefined;
    await this.watch.refresh();
    return id;
  }

  /** Runs what is missing of a sweep, or of these cells of it: starts its scheduler again. */
  async resumeSweep(id: string, runIds: readonly string[] = []): Promise<boolean> {
    const folder = this.requireRunsFolder();
    if (folder === undefined) return false;
    const sweepFolder = join(folder, sweepsFolder, id);
    let attempt = 1;
    while (existsSync(join(sweepFolder, sweepFiles.attempts, attemptName(attempt)))) attempt++;
    const started = await this.#launch({
      title: vscode.l10n.t('Continuing the grid {0}', id),
      args: ['sweep', '--resume', id, ...runIds.flatMap((runId) => ['--cell', runId]), '--runs-dir', folder],
      logPath: launchLogPath(folder, id),
      created: join(sweepFolder, sweepFiles.attempts, attemptName(attempt), attemptFiles.record),
    });
    await this.watch.refresh();
    return started;
  }

  /** Runs a command of the runtime to its end. Its output when it succeeded, undefined when it failed (and that was said). */
  async runToEnd(title: string, args: string[], logId: string): Promise<boolean> {
    const folder = this.requireRunsFolder();
    if (folder === undefined) return false;
    return this.#launch({ title, args, logPath: launchLogPath(folder, logId), created: undefined });
  }

  /** True when the process made the file it was to make (or, without one, ended well). */
  async #launch(launch: {
    title: string;
    args: string[];
    logPath: string;
    created: string | undefined;
  }): Promise<boolean> {
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: launch.title,
      cancellable: launch.created !== undefined,
    };
    return vscode.window.withProgress(options, async (progress, token) => {
      try {
        const editor = { path: process.execPath, version: process.versions.node };
        const node = await resolveRuntimeNode({ configured: configuredNodePath(), editor });
        progress.report({ message: vscode.l10n.t('Node {0}', node.version) });
        const script = join(this.extensionPath, 'dist', 'simdino.mjs');
        const workingFolder = workspaceFolder() ?? this.extensionPath;
        const launched = await spawnRuntime({
          node,
          script,
          args: launch.args,
          workingFolder,
          logPath: launch.logPath,
        });
        log().info(
          `${launch.args.join(' ')}: process ${launched.pid}, Node ${node.version} (${node.source}), log ${launch.logPath}`,
        );
        const outcome = await waitForFile(launched, launch.created, () => token.isCancellationRequested);
        if (outcome.kind === 'cancelled') process.kill(launched.pid, 'SIGTERM');
        if (outcome.kind !== 'ended') return outcome.kind === 'created';
        if (outcome.code === 0) return true;
        log().error(`${launch.args.join(' ')} ended with ${outcome.code}:\n${outcome.output}`);
        this.#sayFailure(
          outcome.output || vscode.l10n.t('The runtime ended with code {0}.', outcome.code),
          launch.logPath,
        );
      } catch (error) {
        log().error(`${launch.args.join(' ')}: ${describe(error)}`);
        this.#sayFailure(describe(error), isSimdinoError(error) ? undefined : launch.logPath);
      }
      return false;
    });
  }

  #sayFailure(output: string, logPath: string | undefined): void {
    const openLog = vscode.l10n.t('Open log');
    const settings = vscode.l10n.t('Open settings');
    const isAboutNode = output.includes('simdino.runtime.nodePath');
    const actions = isAboutNode ? [settings] : logPath !== undefined && existsSync(logPath) ? [openLog] : [];
    void vscode.window.showErrorMessage(lastSentences(output), ...actions).then((answer) => {
      if (answer === openLog && logPath !== undefined) void vscode.window.showTextDocument(vscode.Uri.file(logPath));
      if (answer === settings)
        void vscode.commands.executeCommand('workbench.action.openSettings', 'simdino.runtime.nodePath');
    });
  }
}

/** The runtime's error without its stack and progress: a notification has little room. */
function lastSentences(output: string): string {
  const at = output.lastIndexOf('simdino: ');
  const text = at < 0 ? output : output.slice(at + 'simdino: '.length);
  return text.length > 800 ? `${text.slice(0, 799)}\u2026` : text;
}

/** A name that no run has. Its launch log is made at once: of two windows that start in one second, one gets another name. */
function reserveName(folder: string, source: string): string {
  mkdirSync(dirname(launchLogPath(folder, '')), { recursive: true });
  for (;;) {
    const id = nameRun(source, new Date(), (name) => isTaken(folder, name));
    try {
      closeSync(openSync(launchLogPath(folder, id), 'wx'));
      return id;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function argumentsOf({ set = {}, parent, source }: NewRunOptions): string[] {
  return [
    ...Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
    ...(parent === undefined ? [] : ['--parent', `${parent.id}:${parent.step}`]),
    ...(source === undefined ? [] : ['--source', source]),
  ];
}

function isTaken(folder: string, name: string): boolean {
  return existsSync(join(folder, name)) || existsSync(launchLogPath(folder, name));
}
