import { join } from 'node:path';
import * as vscode from 'vscode';
import { checkFromPanel } from '../../protocol/checkPanelMessage.ts';
import type {
  FromPanelMessage,
  PanelKind,
  PanelState,
  RunSummary,
  ToPanelMessage,
} from '../../protocol/panelMessages.ts';
import { toWire } from '../../protocol/panelTransport.ts';
import { isActive } from '../../experiments/status.ts';
import { describe, inBackground, log } from '../log.ts';
import type { RunCollection } from '../../experiments/store/runCollection.ts';
import { TableData } from '../../experiments/store/tableData.ts';
import { runName } from '../run/runText.ts';
import type { RunWatch } from '../run/runWatch.ts';
import { lookedRuns, pictureFolders } from './lookData.ts';
import { PanelData } from './panelData.ts';
import { panelPage } from './panelPage.ts';

/** A visible panel of a run that trains looks for new lines so often: a line is on the screen well within 500 ms. */
const followMs = 200;

/** The table of runs reads through metrics files for so long, then sends what it has and pauses. */
const tableBudgetMs = 100;
const tablePauseMs = 50;

/** What a panel is about. */
export type PanelSubject = Pick<PanelState, 'runIds' | 'sweepId' | 'baseId'>;

/**
 * One open panel: fills its page, answers its messages, and feeds it while it is visible. A hidden panel costs nothing;
 * the editor makes its page anew when it is shown, and the page then asks for a snapshot.
 */
export class PanelSession implements vscode.Disposable {
  subject: PanelSubject;
  readonly #onDidDispose = new vscode.EventEmitter<void>();
  readonly onDidDispose = this.#onDidDispose.event;
  #data: { collection: RunCollection; data: PanelData } | undefined;
  #feeding = false;
  /** What a grid's or a look's panel was last sent; it is sent whole, and only when it changed. */
  #lastSent = '';
  #looking = false;
  #table: { collection: RunCollection; data: TableData } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();
  readonly #subscriptions: vscode.Disposable[] = [];

  constructor(
    readonly kind: PanelKind,
    readonly panel: vscode.WebviewPanel,
    subject: PanelSubject,
    private readonly watch: RunWatch,
    extensionUri: vscode.Uri,
    private readonly act: (session: PanelSession, message: FromPanelMessage) => Promise<void>,
  ) {
    this.subject = subject;
    const folder = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
    const { webview } = panel;
    const pictures = kind === 'look' ? pictureFolders(watch.collection, subject.runIds) : [];
    webview.options = { enableScripts: true, localResourceRoots: [folder, ...pictures] };
    const icon = (theme: string): vscode.Uri => vscode.Uri.joinPath(extensionUri, 'media', `panel-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    this.#retitle();
    this.#subscriptions.push(
      webview.onDidReceiveMessage((message: unknown) => this.#receive(message)),
      panel.onDidChangeViewState(() => {
        if (!panel.visible) this.#stopFeeding();
      }),
      panel.onDidDispose(() => this.dispose()),
      watch.onDidChange(() => this.#feedSoon(0)),
    );
    webview.html = panelPage({
      script: webview.asWebviewUri(vscode.Uri.joinPath(folder, `${kind}.js`)).toString(),
      style: webview.asWebviewUri(vscode.Uri.joinPath(folder, `${kind}.css`)).toString(),
      cspSource: webview.cspSource,
      title: panel.title,
      language: vscode.env.language,
      words: vscode.l10n.bundle ?? {},
    });
  }

  /** Shows something else in the same panel. */
  show(subject: PanelSubject): void {
    this.subject = subject;
    this.#data = undefined;
    this.#lastSent = '';
    this.#retitle();
    if (this.#feeding) this.#enqueue(() => this.#snapshot());
  }

  /** Says that pictures are being made as long as `work` takes, and shows what it made. One at a time. */
  async whileLooking(work: () => Promise<unknown>): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    this.#feedSoon(0);
    try {
      await work();
    } finally {
      this.#looking = false;
      this.#feedSoon(0);
    }
  }

  dispose(): void {
    this.#stopFeeding();
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#onDidDispose.fire();
    this.#onDidDispose.dispose();
  }

  #receive(value: unknown): void {
    const checked = checkFromPanel(value);
    if (!checked.ok) {
      log().warn(`${this.kind} panel: refused a message: ${checked.reason}`);
      return;
    }
    const { message } = checked;
    if (message.type === 'ready') {
      this.#feeding = true;
      this.#enqueue(() => this.#snapshot());
    } else if (message.type === 'fault') {
      log().error(`${this.kind} panel: ${message.message}`);
    } else {
      inBackground(`${this.kind} panel, ${message.type}`, this.act(this, message));
    }
  }

  #stopFeeding(): void {
    this.#feeding = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #feedSoon(delayMs: number): void {
    if (!this.#feeding) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#enqueue(() => this.#sendNews()), delayMs);
  }

  /** One piece of work at a time, so that a delta never overtakes its snapshot. */
  #enqueue(work: () => Promise<void>): void {
    this.#working = this.#working
      .then(async () => {
        if (this.#feeding) await work();
      })
      .catch((error: unknown) => {
        log().error(`${this.kind} panel: ${describe(error)}`);
        void this.#post({
          type: 'panel/error',
          code: 'unreadable',
          message: describe(error),
          remedy: vscode.l10n.t('The SimDINO output has the details.'),
        });
      });
  }

  async #snapshot(): Promise<void> {
    if (!this.watch.ready) await this.watch.refresh();
    const data = this.#open();
    if (!data) return;
    if (this.kind === 'table') {
      const table = this.#openTable(data.collection);
      const { progress } = table;
      await this.#post({ type: 'table/snapshot', rows: table.snapshot(), progress });
      if (progress.read < progress.total) this.#feedSoon(0);
    } else if (this.kind === 'grid') {
      this.#lastSent = '';
      await this.#sendGrid();
    } else if (this.kind === 'look') {
      this.#lastSent = '';
      await this.#sendLooks(data.collection);
    } else {
      const content = await data.snapshot(this.subject.runIds);
      await this.#post(
        this.kind === 'curves'
          ? { type: 'curves/snapshot', ...content }
          : { type: 'comparison/snapshot', ...content, baseId: this.subject.baseId },
      );
    }
    this.#retitle();
    this.#keepFollowing();
  }

  async #sendNews(): Promise<void> {
    const data = this.#open();
    if (!data) return;
    if (this.kind === 'grid') await this.#sendGrid();
    else if (this.kind === 'table') await this.#sendTable(data.collection);
    else if (this.kind === 'look') await this.#sendLooks(data.collection);
    else {
      const news = await data.news(this.subject.runIds);
      if (news) await this.#post(news);
    }
    this.#keepFollowing();
  }

  /** While a run of the panel trains, its files are looked at without waiting for the watch. A grid shows no lines. */
  #keepFollowing(): void {
    const runs = this.watch.collection?.runs;
    const follows =
      (this.kind === 'curves' || this.kind === 'comparison') &&
      this.subject.runIds.some((id) => isActive(runs?.get(id)?.state ?? 'finished'));
    if (follows) this.#feedSoon(followMs);
  }

  async #sendTable(collection: RunCollection): Promise<void> {
    const table = this.#openTable(collection);
    const { rows, removed } = await table.news(tableBudgetMs);
    const { progress } = table;
    if (rows.length > 0 || removed.length > 0) await this.#post({ type: 'table/append', rows, removed, progress });
    // The extension host has other things to do between two portions.
    if (progress.read < progress.total) this.#feedSoon(tablePauseMs);
  }

  #openTable(collection: RunCollection): TableData {
    if (this.#table?.collection !== collection) this.#table = { collection, data: new TableData(collection) };
    return this.#table.data;
  }

  async #sendGrid(): Promise<void> {
    const collection = this.watch.collection;
    const sweep = collection?.sweeps.find(({ id }) => id === this.subject.sweepId);
    const data = this.#open();
    if (!collection || !data || !sweep?.record) {
      await this.#post({
        type: 'panel/error',
        code: 'sweepMissing',
        message: vscode.l10n.t('There is no grid {0} in {1}.', this.subject.sweepId ?? '', collection?.folder ?? ''),
        remedy: sweep?.problems.join(' ') || vscode.l10n.t('It may have been deleted.'),
      });
      return;
    }
    const ids = sweep.record.cells.map(({ runId }) => runId).filter((id) => collection.runs.has(id));
    const runs: RunSummary[] = await data.summaries(ids);
    const done = runs.filter(({ state }) => state === 'finished').length;
    const message: ToPanelMessage = {
      type: 'grid/snapshot',
      grid: {
        sweep: sweep.record,
        name: sweep.id,
        runs,
        scheduler: sweep.scheduler,
        heardAtMs: sweep.heardAtMs,
        etaMs:
          sweep.scheduler === 'running' || sweep.scheduler === 'pausing'
            ? gridEtaMs(runs, sweep.record.cells.length - done, sweep.record.slots)
            : null,
      },
    };
    await this.#postIfChanged(message);
  }

  async #sendLooks(collection: RunCollection): Promise<void> {
    const runs = await lookedRuns(collection, this.subject.runIds, this.panel.webview);
    await this.#postIfChanged({ type: 'look/snapshot', runs, busy: this.#looking });
  }

  async #postIfChanged(message: ToPanelMessage): Promise<void> {
    const fingerprint = JSON.stringify(message);
    if (fingerprint === this.#lastSent) return;
    this.#lastSent = fingerprint;
    await this.#post(message);
  }

  #open(): PanelData | undefined {
    const { collection } = this.watch;
    if (!collection) return undefined;
    if (this.#data?.collection !== collection) this.#data = { collection, data: new PanelData(collection) };
    return this.#data.data;
  }

  async #post(message: ToPanelMessage): Promise<void> {
    await this.panel.webview.postMessage(toWire(message));
  }

  #retitle(): void {
    const { runIds, sweepId } = this.subject;
    const [first] = runIds;
    const run = first === undefined ? undefined : this.watch.run(first);
    const name = run ? runName(run) : (first ?? '');
    switch (this.kind) {
      case 'curves':
        this.panel.title =
          runIds.length > 1
            ? vscode.l10n.t('{0} and {1} more', name, runIds.length - 1)
            : name || vscode.l10n.t('Curves');
        return;
      case 'grid':
        this.panel.title = sweepId ?? vscode.l10n.t('Grid');
        return;
      case 'table':
        this.panel.title = vscode.l10n.t('Runs');
        return;
      case 'look':
        this.panel.title = vscode.l10n.t(
          'Learned: {0}',
          runIds.length > 1 ? vscode.l10n.t('{0} and {1} more', name, runIds.length - 1) : name,
        );
        return;
      case 'comparison':
        this.panel.title = vscode.l10n.t('Comparison of {0} runs', runIds.length);
    }
  }
}

/** Remaining time of a grid, from the time that its finished and running cells take. */
function gridEtaMs(runs: readonly RunSummary[], left: number, slots: number): number | null {
  const timed = runs.filter(({ updatedAtMs, step, totalSteps }) => updatedAtMs !== null && step > 0 && totalSteps > 0);
  if (timed.length === 0) return null;
  const wholeMs = timed.map(
    ({ updatedAtMs, createdAtMs, step, totalSteps }) => ((updatedAtMs as number) - createdAtMs) * (totalSteps / step),
  );
  const meanMs = wholeMs.reduce((sum, ms) => sum + ms, 0) / timed.length;
  const underWayMs = runs
    .filter(({ state }) => state === 'running')
    .reduce((sum, run) => sum + meanMs * (run.step / run.totalSteps), 0);
  return Math.max(0, (left * meanMs - underWayMs) / Math.max(1, slots));
}

/** Where the panels' runs are, for messages that name files. */
export function folderOfRun(watch: RunWatch, id: string): string | undefined {
  const { collection } = watch;
  return collection?.runs.has(id) ? join(collection.folder, id) : undefined;
}
