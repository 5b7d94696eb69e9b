import { join } from 'node:path';
import * as vscode from 'vscode';
import { checkPanelState } from '../../protocol/checkPanelMessage.ts';
import type { ExportContent, FromPanelMessage, PanelKind } from '../../protocol/panelMessages.ts';
import { changeAnnotations } from '../../experiments/store/annotationsFile.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { controlGrid, runCells } from '../launch/startSweep.ts';
import { forkRun, type StartContext } from '../launch/startRun.ts';
import { pickRun, pickRuns, type RunArgument } from '../run/pickRun.ts';
import { runName } from '../run/runText.ts';
import type { RunNode } from '../run/runTree.ts';
import { workspaceFolder } from '../settings.ts';
import { folderOfRun, PanelSession, type PanelSubject } from './panelSession.ts';

/** The panels of a window: opening them by command, and bringing them back after a reload. */
export class Panels {
  readonly #sessions = new Set<PanelSession>();

  constructor(private readonly start: StartContext) {}

  /** Takes over a panel that the editor brings back after a reload. */
  async restore(kind: PanelKind, panel: vscode.WebviewPanel, saved: unknown): Promise<void> {
    // Which folders a panel of pictures may load from is settled when its page is made.
    if (kind === 'look' && !this.start.watch.ready) await this.start.watch.refresh();
    const state = checkPanelState(saved);
    if (state) this.#adopt(kind, panel, { runIds: state.runIds, sweepId: state.sweepId, baseId: state.baseId });
    else this.#adopt(kind, panel, await this.#likelySubject(kind));
  }

  /**
   * What a panel without a memory shows. VS Code in the browser keeps a panel's state only about once a minute: one that was
   * reloaded soon after it had been opened comes back empty, and what was started last is most likely what it showed.
   */
  async #likelySubject(kind: PanelKind): Promise<PanelSubject> {
    const { watch } = this.start;
    if (!watch.ready) await watch.refresh();
    const newestRun = newest([...(watch.collection?.runs.values() ?? [])]);
    const newestSweep = newest(watch.collection?.sweeps ?? []);
    return {
      runIds: (kind === 'curves' || kind === 'look') && newestRun ? [newestRun.id] : [],
      sweepId: kind === 'grid' && newestSweep ? newestSweep.id : null,
      baseId: null,
    };
  }

  /** Curves of a run; a panel that shows a single run already is used again. */
  async openCurves(argument: RunArgument, selection?: readonly RunNode[]): Promise<void> {
    const { watch } = this.start;
    const title = vscode.l10n.t('Show curves');
    const isSeveral = (selection?.length ?? 0) > 1;
    const runs = isSeveral
      ? await pickRuns(watch, argument, selection, { title })
      : [await pickRun(watch, argument, { title })];
    const runIds = (runs ?? []).filter((run) => run !== undefined).map(({ id }) => id);
    if (runIds.length === 0) return;
    this.#open(
      'curves',
      { runIds, sweepId: null, baseId: null },
      ({ subject }) => sameIds(subject.runIds, runIds) || (runIds.length === 1 && subject.runIds.length === 1),
    );
  }

  async openComparison(argument: RunArgument, selection?: readonly RunNode[]): Promise<void> {
    const runs = await pickRuns(this.start.watch, argument, selection, { title: vscode.l10n.t('Compare runs') });
    if (!runs || runs.length === 0) return;
    if (runs.length < 2) {
      void vscode.window.showInformationMessage(vscode.l10n.t('Choose two runs or more to compare.'));
      return;
    }
    this.#compare(runs.map(({ id }) => id));
  }

  async openGrid(argument: RunNode | string | undefined): Promise<void> {
    const { watch } = this.start;
    if (!watch.ready) await watch.refresh();
    const given = typeof argument === 'string' ? argument : argument?.kind === 'grid' ? argument.id : undefined;
    const sweepId = given ?? (await pickSweep(this.start));
    if (sweepId === undefined) return;
    this.#open('grid', { runIds: [], sweepId, baseId: null }, ({ subject }) => subject.sweepId === sweepId);
  }

  /** "What did it learn": the pictures of one run or several side by side. */
  async openLook(argument: RunArgument, selection?: readonly RunNode[]): Promise<void> {
    const { watch } = this.start;
    const given = typeof argument === 'string' ? argument : argument?.kind === 'run' ? argument.id : undefined;
    const single = given !== undefined && (selection?.length ?? 0) < 2 ? watch.run(given) : undefined;
    const runs = single
      ? [single]
      : await pickRuns(watch, argument, selection, { title: vscode.l10n.t('What did it learn?') });
    const runIds = [...new Set(runs?.map(({ id }) => id))];
    if (runIds.length === 0) return;
    this.#open('look', { runIds, sweepId: null, baseId: null }, ({ subject }) => sameIds(subject.runIds, runIds));
  }

  /** The table of all runs; there is one a window. */
  openTable(): void {
    this.#open('table', { runIds: [], sweepId: null, baseId: null }, () => true);
  }

  #compare(runIds: string[]): void {
    const subject = { runIds, sweepId: null, baseId: runIds[0] ?? null };
    this.#open('comparison', subject, (session) => sameIds(session.subject.runIds, runIds));
  }

  #open(kind: PanelKind, subject: PanelSubject, isSame: (session: PanelSession) => boolean): void {
    const open = [...this.#sessions].find((session) => session.kind === kind && isSame(session));
    if (open) {
      if (!sameIds(open.subject.runIds, subject.runIds)) open.show(subject);
      open.panel.reveal(undefined, true);
      return;
    }
    const panel = vscode.window.createWebviewPanel(`simdino.${kind}`, 'SimDINO', {
      viewColumn: vscode.ViewColumn.Active,
      preserveFocus: true,
    });
    this.#adopt(kind, panel, subject);
  }

  #adopt(kind: PanelKind, panel: vscode.WebviewPanel, subject: PanelSubject): void {
    const { context, watch } = this.start;
    const session = new PanelSession(kind, panel, subject, watch, context.extensionUri, (from, message) =>
      this.#act(from, message),
    );
    this.#sessions.add(session);
    session.onDidDispose(() => this.#sessions.delete(session));
  }

  /** Does what a panel asks for. Runs are named by ids that were checked; paths are made here. */
  async #act(session: PanelSession, message: FromPanelMessage): Promise<void> {
    const { watch } = this.start;
    switch (message.type) {
      case 'openRun':
        return this.openCurves(message.runId);
      case 'openConfig':
      case 'openLog':
      case 'stopRun':
      case 'resumeRun':
        await vscode.commands.executeCommand(`simdino.${message.type}`, message.runId);
        return;
      case 'openFolder':
        await vscode.commands.executeCommand('simdino.revealRunFolder', message.runId);
        return;
      case 'forkRun':
        await forkRun(this.start, message.runId, {
          changes: message.changes,
          reason: message.reason,
          step: message.step,
        });
        return;
      case 'diffConfigs': {
        const [left, right] = [message.leftId, message.rightId].map((id) => folderOfRun(watch, id));
        if (left === undefined || right === undefined) return;
        const title = [message.leftId, message.rightId]
          .map((id) => runName(watch.run(id) ?? { id, annotations: {} }))
          .join(' \u2194 ');
        const [leftUri, rightUri] = [left, right].map((folder) => vscode.Uri.file(join(folder, runFiles.config)));
        await vscode.commands.executeCommand('vscode.diff', leftUri, rightUri, title);
        return;
      }
      case 'openRuns':
        this.#open('curves', { runIds: message.runIds, sweepId: null, baseId: null }, ({ subject }) =>
          sameIds(subject.runIds, message.runIds),
        );
        return;
      case 'look': {
        const runsFolder = watch.collection?.folder;
        if (runsFolder === undefined || !session.subject.runIds.includes(message.runId)) return;
        const title = vscode.l10n.t('Looking at what {0} learned', message.runId);
        const args = ['look', message.runId, '--steps', 'all', '--untrained', '--runs-dir', runsFolder];
        return session.whileLooking(() => this.start.launcher.runToEnd(title, args, 'look'));
      }
      case 'star': {
        const run = watch.run(message.runId);
        if (!run) return;
        await changeAnnotations(run.folder, { star: message.star });
        await watch.refresh(run.id);
        return;
      }
      case 'compare':
        this.#compare(message.runIds);
        return;
      case 'chooseRuns': {
        const title = vscode.l10n.t('Choose the runs to show');
        const runs = await pickRuns(watch, undefined, undefined, { title, picked: session.subject.runIds });
        if (!runs || runs.length === 0) return;
        const runIds = runs.map(({ id }) => id);
        const base = session.subject.baseId;
        session.show({
          ...session.subject,
          runIds,
          baseId: base !== null && runIds.includes(base) ? base : (runIds[0] ?? null),
        });
        return;
      }
      case 'editHyperparameter':
        await vscode.commands.executeCommand('simdino.editHyperparameter', message.runId, message.key);
        return;
      case 'setBase':
        session.subject = { ...session.subject, baseId: message.runId };
        return;
      case 'gridAction':
        return controlGrid(this.start, message.sweepId, message.action);
      case 'runCells':
        return runCells(this.start, message.sweepId, message.runIds);
      case 'export':
        return saveExport(message.fileName, message.content);
      case 'copy':
        await vscode.env.clipboard.writeText(message.text);
        return;
      case 'ready':
      case 'fault':
        return; // the session's own
    }
  }
}

async function pickSweep({ watch }: StartContext): Promise<string | undefined> {
  const sweeps = watch.collection?.sweeps ?? [];
  if (sweeps.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('There is no grid yet. Start one from a sweep file.'));
    return undefined;
  }
  const items = sweeps.map(({ id, record }) => ({
    label: id,
    description: record?.axes.map(({ key }) => key).join(' \u00d7 ') ?? '',
  }));
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Show grid') }))?.label;
}

/** Saves what a panel made where a person says. */
async function saveExport(fileName: string, content: ExportContent): Promise<void> {
  const folder = workspaceFolder();
  const target = await vscode.window.showSaveDialog(
    folder === undefined ? {} : { defaultUri: vscode.Uri.file(join(folder, fileName)) },
  );
  if (!target) return;
  // Over the wire to the extension host a typed array may arrive as a plain buffer.
  const bytes = content.kind === 'text' ? new TextEncoder().encode(content.text) : new Uint8Array(content.bytes);
  await vscode.workspace.fs.writeFile(target, bytes);
  const open = vscode.l10n.t('Open');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('Saved {0}.', vscode.workspace.asRelativePath(target)),
    open,
  );
  if (answer === open) await vscode.commands.executeCommand('vscode.open', target);
}

function sameIds(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

/** What was made last, going by its record. */
function newest<T extends { record: { createdAt: string } | null }>(made: readonly T[]): T | undefined {
  return [...made].sort((a, b) => ((a.record?.createdAt ?? '') < (b.record?.createdAt ?? '') ? 1 : -1))[0];
}
