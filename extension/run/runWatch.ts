import { performance } from 'node:perf_hooks';
import * as vscode from 'vscode';
import { isRunId } from '../../protocol/runFolder.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import { describe, log } from '../log.ts';
import { runsFolder } from '../settings.ts';
import { RunCollection, type Changes } from '../../experiments/store/runCollection.ts';

/** How long to wait between two looks at the runs folder. */
const activeAndSeenMs = 1000;
const activeUnseenMs = 3000;
const idleMs = 5000;

/**
 * Keeps a `RunCollection` up to date for the window: by polling, since file events are lost on network file systems, with
 * file events as hints that bring the next look forward.
 */
export class RunWatch implements vscode.Disposable {
  #collection: RunCollection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #disposed = false;
  #failure: string | undefined;
  #logged = new Set<string>();
  #watchers: vscode.Disposable[] = [];
  readonly #subscriptions: vscode.Disposable[] = [];
  readonly #onDidChange = new vscode.EventEmitter<Changes>();
  /** After every look that changed something. */
  readonly onDidChange = this.#onDidChange.event;
  /** Runs that a person has ended by force in this window: their end is no news. */
  readonly endedByForce = new Set<string>();
  /** Whether the first look is done. */
  ready = false;

  constructor() {
    this.#subscriptions.push(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('simdino.runsFolder')) this.#open();
      }),
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.#open()),
      vscode.window.onDidChangeWindowState(({ focused }) => {
        if (focused) this.#schedule(0);
      }),
    );
    this.#open();
  }

  /** Undefined when the window has no folder. */
  get collection(): RunCollection | undefined {
    return this.#collection;
  }

  run(id: string): RunOverview | undefined {
    return this.#collection?.runs.get(id);
  }

  /** Why the runs folder can't be read, if it can't. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Looks now, at everything named or new; resolves when that is done. */
  async refresh(...ids: string[]): Promise<void> {
    const collection = this.#collection;
    if (!collection) return;
    collection.hint();
    for (const id of ids) collection.hint(id);
    // A look that is under way may have passed the change already.
    await this.#looking;
    await this.#look();
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    for (const disposable of [...this.#watchers, ...this.#subscriptions, this.#onDidChange]) disposable.dispose();
  }

  #open(): void {
    const folder = runsFolder();
    if (folder === this.#collection?.folder && this.#collection) return;
    for (const watcher of this.#watchers) watcher.dispose();
    const removed = [...(this.#collection?.runs.keys() ?? [])];
    this.#collection = folder === undefined ? undefined : new RunCollection(folder);
    this.#watchers = folder === undefined ? [] : this.#watch(folder);
    this.ready = folder === undefined;
    this.#onDidChange.fire({ changed: [], removed, sweepsChanged: true, queueChanged: true, ended: [] });
    this.#schedule(0);
  }

  #watch(folder: string): vscode.Disposable[] {
    const pattern =
      '{*,*/run.json,*/annotations.json,*/request.json,*/attempts/*/attempt.json,sweeps/**/*.json,.queue/**/*.json}';
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, pattern));
    const prefix = vscode.Uri.file(folder).path + '/';
    const hint = (uri: vscode.Uri): void => {
      const [id] = uri.path.startsWith(prefix) ? uri.path.slice(prefix.length).split('/') : [];
      this.#collection?.hint(id !== undefined && isRunId(id) ? id : undefined);
      this.#schedule(100);
    };
    return [watcher, watcher.onDidCreate(hint), watcher.onDidChange(hint), watcher.onDidDelete(hint)];
  }

  #schedule(delayMs: number): void {
    if (this.#disposed || !this.#collection) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), delayMs);
  }

  #look(): Promise<void> {
    if (this.#looking) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = undefined;
      this.#schedule(this.#again ? 0 : this.#intervalMs());
      this.#again = false;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const collection = this.#collection;
    if (!collection) return;
    try {
      const changes = await collection.look({ monotonicMs: performance.now(), nowMs: Date.now() });
      if (collection !== this.#collection || this.#disposed) return;
      const isNews = this.#logSkipped(collection) || !this.ready || this.#failure !== undefined;
      this.ready = true;
      this.#failure = undefined;
      const { changed, removed, sweepsChanged, queueChanged, ended } = changes;
      if (isNews || changed.length + removed.length + ended.length > 0 || sweepsChanged || queueChanged)
        this.#onDidChange.fire(changes);
    } catch (error) {
      if (this.#failure === undefined) {
        log().error(`${collection.folder} can't be read: ${describe(error)}`);
        this.#failure = describe(error);
        this.ready = true;
        this.#onDidChange.fire({ changed: [], removed: [], sweepsChanged: false, queueChanged: false, ended: [] });
      }
    }
  }

  /** Whether a folder was passed over that had not been. */
  #logSkipped({ folder, skipped }: RunCollection): boolean {
    const fresh = skipped.filter(({ name }) => !this.#logged.has(name));
    for (const { name, reason } of fresh) {
      this.#logged.add(name);
      log().warn(`${folder}: passed over ${JSON.stringify(name)}: ${reason}`);
    }
    return fresh.length > 0;
  }

  #intervalMs(): number {
    const { activeRuns = [], queue } = this.#collection ?? {};
    const isWorking = activeRuns.length > 0 || queue?.scheduler === 'running';
    if (!isWorking) return idleMs;
    return vscode.window.state.focused ? activeAndSeenMs : activeUnseenMs;
  }
}
