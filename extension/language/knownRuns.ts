import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { pastMarkdown, pastResults, type PastResult, type PastRun } from '../../configs/language/pastResults.ts';
import type { LoadText } from '../../configs/presets.ts';
import { readConfig } from '../../configs/readConfig.ts';
import type { ResolvedConfig } from '../../configs/schema.ts';
import type { MeasuredRun } from '../../configs/stepCost.ts';
import { flattenConfig } from '../../experiments/flattenConfig.ts';
import { readPastRun } from '../../experiments/store/pastRuns.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { newestRunOf } from '../run/newestRunOf.ts';
import { runName } from '../run/runText.ts';
import type { RunWatch } from '../run/runWatch.ts';

/** The newest runs are evidence enough; reading thousands would take longer than a hover may. */
const mostRuns = 300;

/** What the workspace's runs tell about configurations. Nothing is read before the first question. */
export class KnownRuns implements vscode.Disposable {
  private readonly past = new Map<string, { stamp: string; run: Promise<PastRun | undefined> }>();
  private readonly configs = new Map<string, Promise<ResolvedConfig | undefined>>();
  private readonly changed = new vscode.EventEmitter<void>();
  /** A run has ended or appeared: estimates may differ. */
  readonly onDidChange = this.changed.event;
  private readonly subscription: vscode.Disposable;

  constructor(
    private readonly watch: RunWatch,
    private readonly load: LoadText,
  ) {
    let known = -1;
    this.subscription = watch.onDidChange(({ ended }) => {
      const count = this.runs().length;
      if (ended.length > 0 || count !== known) this.changed.fire();
      known = count;
    });
  }

  /** The run that a command was called on: a node of the tree, or an id from a panel. */
  runOf(argument: unknown): RunOverview | undefined {
    const id = typeof argument === 'string' ? argument : (argument as { kind?: unknown; id?: unknown } | undefined)?.id;
    return typeof id === 'string' ? this.watch.run(id) : undefined;
  }

  /** The run whose record a file is, if any. */
  runOfRecord(path: string): RunOverview | undefined {
    const run = basename(path) === runFiles.config ? this.watch.run(basename(dirname(path))) : undefined;
    return run?.folder === dirname(path) ? run : undefined;
  }

  /** Images of the training set, as the newest run that was started from this file has counted them. */
  trainImages(configPath: string): number | undefined {
    return newestRunOf(this.watch, configPath)?.record?.trainImages;
  }

  /** What own runs of the same method on the same data had for a key. */
  async results(config: ResolvedConfig | undefined): Promise<(key: string) => PastResult[]> {
    if (!config) return () => [];
    const runs = await this.pastRuns();
    const flat = flattenConfig(config);
    return (key) => pastResults(key, runs, { config: flat, current: flat[key] });
  }

  /** The same as Markdown for hovers. */
  async markdown(config: ResolvedConfig | undefined): Promise<(key: string) => string> {
    const results = await this.results(config);
    return (key) => pastMarkdown(results(key));
  }

  /** The last run on this machine that tells the pace of a step: of this file, else of this method, else any. */
  async measured(method: string, configPath: string): Promise<MeasuredRun | undefined> {
    const rank = ({ record }: RunOverview): number =>
      record?.configSource === configPath ? 2 : Number(record?.method === method);
    const [run] = this.runs()
      .filter(({ record, msPerStep }) => msPerStep !== null && record?.environment.hostname === hostname())
      .sort((a, b) => rank(b) - rank(a) || newestFirst(a, b));
    const config = run && (await this.configOf(run));
    if (!run || !config || run.msPerStep === null) return undefined;
    return { name: runName(run), config, msPerStep: run.msPerStep, memoryBytes: run.latest['memoryBytes'] };
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
    this.past.clear();
    this.configs.clear();
  }

  private runs(): RunOverview[] {
    return [...(this.watch.collection?.runs.values() ?? [])];
  }

  private async pastRuns(): Promise<PastRun[]> {
    const evaluated = this.runs().filter(({ latest }) => latest['knnTop1'] !== undefined);
    const runs = evaluated.sort(newestFirst).slice(0, mostRuns);
    const found = await Promise.all(
      runs.map((run) => {
        const stamp = [run.folder, run.state, run.attemptCount, run.latest['knnTop1'], runName(run)].join(' ');
        const known = this.past.get(run.id);
        if (known?.stamp === stamp) return known.run;
        const read = readPastRun(run);
        this.past.set(run.id, { stamp, run: read });
        return read;
      }),
    );
    return found.filter((run) => run !== undefined);
  }

  private configOf(run: RunOverview): Promise<ResolvedConfig | undefined> {
    const path = join(run.folder, runFiles.config);
    let config = this.configs.get(path);
    if (!config) {
      config = readFile(path, 'utf8').then(
        (text) => readConfig(text, { path, load: this.load }).config,
        () => undefined, // gone since the runs were listed: there is nothing to estimate from
      );
      this.configs.set(path, config);
    }
    return config;
  }
}

function newestFirst(a: RunOverview, b: RunOverview): number {
  return (a.record?.createdAt ?? '') < (b.record?.createdAt ?? '') ? 1 : -1;
}
