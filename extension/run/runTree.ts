import * as vscode from 'vscode';
import { checkpointRows, type CheckpointRow } from '../../experiments/checkpointRows.ts';
import { readCheckpoints } from '../../experiments/store/readRun.ts';
import { readRunConfig } from '../../experiments/store/readRunConfig.ts';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import type { SchedulerState } from '../../protocol/records.ts';
import { groupKinds, groupRuns, type GroupKind, type RunGroups } from './runGroups.ts';
import type { Changes } from '../../experiments/store/runCollection.ts';
import { cellItem, checkpointItem, gridItem, groupItem, moreItem, queuedItem, runItem } from './runTreeItems.ts';
import type { RunWatch } from './runWatch.ts';

export type RunNode =
  | { kind: 'group'; group: GroupKind }
  | { kind: 'run'; id: string; under: string }
  | { kind: 'cell'; id: string; under: string }
  | { kind: 'queued'; id: string }
  | { kind: 'checkpoint'; id: string; step: number; under: string }
  | { kind: 'grid'; id: string }
  | { kind: 'more'; group: GroupKind };

/**
 * The editor makes a row anew when it is refreshed, and with it its icons: one that is pressed at that moment does nothing. Progress
 * alone is worth that only so often; a state is shown at once.
 */
const progressEveryMs = 3000;

/** A group shows so many runs at first, and so many more each time that more are asked for. */
const pageSize = 200;

/** The tree of runs: groups, grids with their cells, and runs by state. */
export class RunTree implements vscode.TreeDataProvider<RunNode>, vscode.Disposable {
  readonly #onDidChangeTreeData = new vscode.EventEmitter<RunNode[] | undefined>();
  readonly onDidChangeTreeData = this.#onDidChangeTreeData.event;
  /** One object a node, so that a single one can be refreshed. */
  readonly #nodes = new Map<string, RunNode>();
  readonly #shown = new Map<GroupKind, number>();
  readonly #checkpoints = new Map<string, CheckpointRow[]>();
  readonly #subscription: vscode.Disposable;
  /** Runs whose progress is not on show yet. */
  readonly #held = new Set<string>();
  #heldTimer: NodeJS.Timeout | undefined;
  /** What a row shows besides its progress. */
  readonly #shownStates = new Map<string, string>();
  #groups: RunGroups = { active: [], queued: [], finished: [], grids: [], archived: [] };
  #layout = '';
  #filter = '';

  constructor(private readonly watch: RunWatch) {
    this.#subscription = watch.onDidChange((changes) => this.#update(changes));
  }

  get filter(): string {
    return this.#filter;
  }
  set filter(text: string) {
    this.#filter = text.trim();
    this.#regroup();
    this.#onDidChangeTreeData.fire(undefined);
  }

  get groups(): RunGroups {
    return this.#groups;
  }

  showMore(group: GroupKind): void {
    this.#shown.set(group, this.#shownOf(group) + pageSize);
    this.#onDidChangeTreeData.fire(undefined);
  }

  getChildren(node?: RunNode): RunNode[] | Promise<RunNode[]> {
    if (!node) return groupKinds.filter((group) => this.#groups[group].length > 0).map((group) => this.#group(group));
    if (node.kind === 'group') return this.#membersOf(node.group);
    if (node.kind === 'grid') return this.#cellsOf(node.id);
    if (node.kind === 'run') return this.#checkpointsOf(node);
    return [];
  }

  getParent(node: RunNode): RunNode | undefined {
    switch (node.kind) {
      case 'group':
        return undefined;
      case 'grid':
        return this.#group('grids');
      case 'more':
        return this.#group(node.group);
      case 'queued':
        return this.#group('queued');
      case 'run':
      case 'cell':
      case 'checkpoint':
        return this.#nodes.get(node.under);
    }
  }

  getTreeItem(node: RunNode): vscode.TreeItem {
    switch (node.kind) {
      case 'group':
        return groupItem(node.group, this.#groups[node.group].length);
      case 'grid': {
        const sweep = this.watch.collection?.sweeps.find(({ id }) => id === node.id);
        return sweep ? gridItem(sweep, this.watch) : new vscode.TreeItem(node.id);
      }
      case 'run': {
        const run = this.watch.run(node.id);
        return run ? runItem(run, key(node)) : new vscode.TreeItem(node.id);
      }
      case 'cell':
        return cellItem(node.id, key(node), this.#schedulerOf(node.under));
      case 'queued': {
        const { queue } = this.watch.collection ?? {};
        const entry = queue?.runs.find(({ runId }) => runId === node.id);
        return queue && entry ? queuedItem(entry, queue) : new vscode.TreeItem(node.id);
      }
      case 'checkpoint': {
        const row = this.#checkpoints.get(node.id)?.find(({ step }) => step === node.step);
        return row ? checkpointItem(row, key(node)) : new vscode.TreeItem(String(node.step));
      }
      case 'more':
        return moreItem(node.group, this.#groups[node.group].length - this.#shownOf(node.group));
    }
  }

  /** The node of a run, for revealing it. */
  find(id: string): RunNode | undefined {
    for (const group of ['active', 'finished', 'archived'] as const) {
      if (this.#groups[group].some((run) => run.id === id))
        return this.#node({ kind: 'run', id, under: `group ${group}` });
    }
    const sweep = this.#groups.grids.find(({ record }) => record?.cells.some((cell) => cell.runId === id));
    return sweep && this.watch.run(id) ? this.#node({ kind: 'run', id, under: `grid ${sweep.id}` }) : undefined;
  }

  dispose(): void {
    this.#subscription.dispose();
    clearTimeout(this.#heldTimer);
    this.#onDidChangeTreeData.dispose();
  }

  #update(changes: Changes): void {
    const urgent = new Set<string>();
    for (const run of changes.changed) {
      const state = stateKey(run);
      if (this.#shownStates.get(run.id) === state) this.#held.add(run.id);
      else urgent.add(run.id);
      this.#shownStates.set(run.id, state);
    }
    for (const id of changes.removed) this.#shownStates.delete(id);
    if (this.#regroup() || changes.sweepsChanged || changes.queueChanged) {
      this.#held.clear();
      this.#onDidChangeTreeData.fire(undefined);
      return;
    }
    this.#refresh(urgent);
    if (this.#held.size > 0)
      this.#heldTimer ??= setTimeout(() => {
        this.#heldTimer = undefined;
        this.#refresh(this.#held);
        this.#held.clear();
      }, progressEveryMs);
  }

  #refresh(ids: ReadonlySet<string>): void {
    const nodes = [...this.#nodes.values()].filter((node) => node.kind === 'run' && ids.has(node.id));
    if (nodes.length > 0) this.#onDidChangeTreeData.fire(nodes);
  }

  /** True when runs moved between groups, came or went. */
  #regroup(): boolean {
    const { collection } = this.watch;
    this.#groups = groupRuns(
      collection?.runs.values() ?? [],
      collection?.sweeps ?? [],
      collection?.queue.runs ?? [],
      this.#filter,
    );
    const layout = JSON.stringify(groupKinds.map((kind) => this.#groups[kind].map((entry) => idOf(entry))));
    const changed = layout !== this.#layout;
    this.#layout = layout;
    return changed;
  }

  #membersOf(group: GroupKind): RunNode[] {
    const under = `group ${group}`;
    const limit = this.#shownOf(group);
    const members = this.#groups[group].slice(0, limit).map((entry): RunNode => {
      if (group === 'grids') return this.#node({ kind: 'grid', id: idOf(entry) });
      if ('runId' in entry && 'record' in entry) return this.#node({ kind: 'queued', id: entry.runId });
      return this.#node({ kind: group === 'queued' ? 'cell' : 'run', id: idOf(entry), under });
    });
    if (this.#groups[group].length > limit) members.push(this.#node({ kind: 'more', group }));
    return members;
  }

  #cellsOf(sweepId: string): RunNode[] {
    const sweep = this.watch.collection?.sweeps.find(({ id }) => id === sweepId);
    return (sweep?.record?.cells ?? []).map(({ runId }) =>
      this.#node({ kind: this.watch.run(runId) ? 'run' : 'cell', id: runId, under: `grid ${sweepId}` }),
    );
  }

  /** Read when a run is opened: a list of runs does without. */
  async #checkpointsOf(node: Extract<RunNode, { kind: 'run' }>): Promise<RunNode[]> {
    const run = this.watch.run(node.id);
    if (!run) return [];
    const [checkpoints, config] = await Promise.all([readCheckpoints(run.folder), readRunConfig(run.folder)]);
    const keep = config['checkpoint.keep'];
    const rows = checkpointRows(checkpoints, typeof keep === 'number' ? keep : undefined);
    this.#checkpoints.set(node.id, rows);
    return rows.map(({ step }) => this.#node({ kind: 'checkpoint', id: node.id, step, under: key(node) }));
  }

  /** What works on the grid of that node. */
  #schedulerOf(grid: string): SchedulerState {
    const { sweeps = [] } = this.watch.collection ?? {};
    return sweeps.find(({ id }) => key({ kind: 'grid', id }) === grid)?.scheduler ?? 'idle';
  }

  #group(group: GroupKind): RunNode {
    return this.#node({ kind: 'group', group });
  }

  #node(node: RunNode): RunNode {
    const known = this.#nodes.get(key(node));
    if (known) return known;
    this.#nodes.set(key(node), node);
    return node;
  }

  #shownOf(group: GroupKind): number {
    return this.#shown.get(group) ?? pageSize;
  }
}

/** What of a run is shown at once when it changes. */
function stateKey({ state, liveness, annotations, attemptCount, outcome, problems }: RunOverview): string {
  return JSON.stringify([state, liveness, annotations, attemptCount, outcome, problems]);
}

function key(node: RunNode): string {
  switch (node.kind) {
    case 'group':
    case 'more':
      return `${node.kind} ${node.group}`;
    case 'grid':
      return `grid ${node.id}`;
    case 'queued':
      return `queued ${node.id}`;
    case 'checkpoint':
      return `${node.under} checkpoint ${node.step}`;
    case 'run':
    case 'cell':
      return `${node.under} ${node.kind} ${node.id}`;
  }
}

function idOf(entry: { id: string } | { runId: string }): string {
  return 'id' in entry ? entry.id : entry.runId;
}
