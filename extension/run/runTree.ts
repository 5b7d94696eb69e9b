import * as vscode from 'vscode';
import { checkpointRows, type CheckpointRow } from '../../experiments/checkpointRows.ts';
import { formatBytes, formatMetric, formatNumber } from '../../experiments/formatMetric.ts';
import { limitOf, type QueuedRun, type QueueOverview } from '../../experiments/store/queue.ts';
import { readCheckpoints } from '../../experiments/store/readRun.ts';
import { readRunConfig } from '../../experiments/store/readRunConfig.ts';
import { isUnreadable, type RunOverview } from '../../experiments/store/summariseRun.ts';
import { isActive, isResumable } from '../../experiments/status.ts';
import type { RunState, SchedulerState } from '../../protocol/records.ts';
import { groupKinds, groupRuns, type GroupKind, type RunGroups } from './runGroups.ts';
import type { Changes, SweepOverview } from '../../experiments/store/runCollection.ts';
import { isUndecided, remainingText, runDescription, runName, treeDescription, type StateWords } from './runText.ts';
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
        return cellItem(node.id, key(node), this.#schedulerOf(node.id));
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

  /** What works on the grid that a cell is of. */
  #schedulerOf(cell: string): SchedulerState {
    const { sweeps = [] } = this.watch.collection ?? {};
    return sweeps.find(({ record }) => record?.cells.some(({ runId }) => runId === cell))?.scheduler ?? 'idle';
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

export function stateWords(): StateWords {
  return {
    queued: vscode.l10n.t('queued'),
    starting: vscode.l10n.t('starting'),
    running: vscode.l10n.t('running'),
    stopping: vscode.l10n.t('stopping'),
    finished: vscode.l10n.t('finished'),
    stopped: vscode.l10n.t('stopped'),
    failed: vscode.l10n.t('failed'),
    crashed: vscode.l10n.t('crashed'),
    stale: vscode.l10n.t('no sign of life'),
    unreadable: vscode.l10n.t('unreadable'),
  };
}

/** What of a run is shown at once when it changes. */
function stateKey({ state, liveness, annotations, attemptCount, outcome, problems }: RunOverview): string {
  return JSON.stringify([state, liveness, annotations, attemptCount, outcome, problems]);
}

/** Icons differ by shape, colour only underlines. */
const stateIcons: Record<RunState, [icon: string, colour?: string]> = {
  queued: ['clock'],
  starting: ['rocket', 'charts.blue'],
  running: ['play-circle', 'charts.blue'],
  stopping: ['debug-pause', 'charts.yellow'],
  finished: ['pass', 'charts.green'],
  stopped: ['debug-stop', 'charts.yellow'],
  failed: ['error', 'charts.red'],
  crashed: ['flame', 'charts.red'],
  stale: ['question', 'charts.yellow'],
};

function stateIcon(state: RunState): vscode.ThemeIcon {
  const [icon, colour] = stateIcons[state];
  return new vscode.ThemeIcon(icon, colour === undefined ? undefined : new vscode.ThemeColor(colour));
}

function runItem(run: RunOverview, id: string): vscode.TreeItem {
  const { annotations, state } = run;
  const item = new vscode.TreeItem(
    `${annotations.star ? '\u2605 ' : ''}${runName(run)}`,
    // Under a run are its checkpoints; one that never trained has none.
    run.attemptCount > 0 ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None,
  );
  item.id = id;
  // Beside a name that is written from right to left, digits would be drawn among its letters.
  item.description = `${isRightToLeft(runName(run)) ? leftToRightMark : ''}${treeDescription(run, stateWords())}`;
  item.iconPath = isUnreadable(run) ? new vscode.ThemeIcon('warning') : stateIcon(state);
  item.tooltip = runTooltip(run);
  item.contextValue = [
    'run',
    isActive(state) || state === 'stale' || state === 'queued' ? 'active' : 'ended',
    ...(isResumable(state) ? ['resumable'] : []),
    annotations.star ? 'starred' : 'unstarred',
    annotations.archived ? 'archived' : 'unarchived',
  ].join(' ');
  item.command = { command: 'simdino.openCurves', title: vscode.l10n.t('Show curves'), arguments: [run.id] };
  item.accessibilityInformation = { label: `${runName(run)}, ${runDescription(run, stateWords())}` };
  return item;
}

const leftToRightMark = '\u200e';

function isRightToLeft(text: string): boolean {
  return /\p{Script=Arabic}|\p{Script=Hebrew}|\p{Script=Syriac}|\p{Script=Thaana}|\p{Script=Nko}/u.test(text);
}

function runTooltip(run: RunOverview): vscode.MarkdownString {
  const { record, lastAttempt, annotations, outcome, problems } = run;
  const tooltip = new vscode.MarkdownString();
  const line = (label: string, text: string | undefined): void => {
    if (text) tooltip.appendText(`${label}: ${text}`).appendMarkdown('\n\n');
  };
  tooltip.appendText(runName(run)).appendMarkdown('\n\n');
  line(vscode.l10n.t('State'), stateText(run));
  if (outcome?.type === 'failed') line(vscode.l10n.t('Reason'), outcome.message.slice(0, 500));
  line(vscode.l10n.t('Left'), remainingText(run));
  line(vscode.l10n.t('Run'), run.id);
  line(vscode.l10n.t('Configuration'), record?.configSource);
  line(vscode.l10n.t('Seed'), record ? String(record.seed) : undefined);
  line(vscode.l10n.t('Engine'), lastAttempt ? `${lastAttempt.engine} (${lastAttempt.device})` : undefined);
  line(
    vscode.l10n.t('Process'),
    lastAttempt ? `${lastAttempt.process.pid} on ${lastAttempt.process.hostname}` : undefined,
  );
  line(
    vscode.l10n.t('Commit'),
    record?.git
      ? record.git.commit.slice(0, 10) + (record.git.dirty ? vscode.l10n.t(', with changes') : '')
      : undefined,
  );
  line(vscode.l10n.t('Tags'), annotations.tags?.join(', '));
  line(vscode.l10n.t('Notes'), annotations.notes?.slice(0, 500));
  for (const problem of problems) line(vscode.l10n.t('Unreadable'), problem);
  return tooltip;
}

function stateText(run: RunOverview): string {
  if (isUnreadable(run)) return stateWords().unreadable;
  return isUndecided(run) ? vscode.l10n.t('looking for a sign of life') : stateWords()[run.state];
}

function queuedItem(entry: QueuedRun, queue: QueueOverview): vscode.TreeItem {
  const { runId, record, state } = entry;
  const device = record?.device ?? '?';
  const item = new vscode.TreeItem(runId);
  const line = queue.runs.filter((other) => other.state === 'waiting' && other.record?.device === record?.device);
  const place = line.indexOf(entry) + 1;
  const limit = limitOf(queue, device);
  const words = {
    waiting: vscode.l10n.t('{0} of {1} for {2} ({3} at a time)', place, line.length, device, limit),
    taken: vscode.l10n.t('starting'),
    failed: vscode.l10n.t('could not be started'),
  };
  const held = {
    running: '',
    pausing: vscode.l10n.t('queue paused'),
    paused: vscode.l10n.t('queue paused'),
    cancelled: vscode.l10n.t('queue paused'),
    idle: vscode.l10n.t('nothing works on the queue'),
  }[queue.scheduler];
  item.id = `queued ${runId}`;
  item.description = [words[state], state === 'waiting' ? held : '', ...entry.problems]
    .filter(Boolean)
    .join(' \u00b7 ');
  item.iconPath = new vscode.ThemeIcon(state === 'failed' ? 'error' : 'clock');
  item.contextValue = `queued ${state}`;
  item.tooltip = new vscode.MarkdownString()
    .appendText(`${runId}: ${item.description}`)
    .appendMarkdown('\n\n')
    .appendText(`${vscode.l10n.t('Configuration')}: ${record?.configSource ?? ''}`);
  return item;
}

function checkpointItem(row: CheckpointRow, id: string): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('step {0}', formatNumber(row.step, 8)));
  item.id = id;
  item.description = [
    vscode.l10n.t('epoch {0}', formatNumber(row.epoch, 3)),
    row.knnTop1 === null ? '' : `${formatMetric('knnTop1', row.knnTop1)} k-NN`,
    formatBytes(row.bytes),
    row.retention === 'next' ? vscode.l10n.t('goes with the next one') : vscode.l10n.t('kept'),
  ]
    .filter(Boolean)
    .join(' \u00b7 ');
  item.iconPath = new vscode.ThemeIcon('save');
  item.contextValue = 'checkpoint';
  item.tooltip = vscode.l10n.t('Written {0}', row.createdAt);
  return item;
}

function cellItem(runId: string, id: string, scheduler: SchedulerState): vscode.TreeItem {
  const item = new vscode.TreeItem(runId);
  const waits = scheduler === 'running';
  item.id = id;
  item.description = waits ? vscode.l10n.t('waits for its turn') : vscode.l10n.t('not started');
  item.iconPath = new vscode.ThemeIcon(waits ? 'clock' : 'circle-outline');
  item.contextValue = 'cell';
  item.tooltip = plainTooltip([`${runId}: ${item.description}`, schedulerSentence(scheduler)]);
  return item;
}

function gridItem(sweep: SweepOverview, watch: RunWatch): vscode.TreeItem {
  const item = new vscode.TreeItem(sweep.id, vscode.TreeItemCollapsibleState.Collapsed);
  const cells = sweep.record?.cells ?? [];
  const states = cells.map(({ runId }) => watch.run(runId)?.state);
  const finished = states.filter((state) => state === 'finished').length;
  const failed = states.filter((state) => state === 'failed' || state === 'crashed').length;
  item.id = `grid ${sweep.id}`;
  item.description = [
    vscode.l10n.t('{0}/{1} finished', finished, cells.length),
    schedulerWord(sweep.scheduler),
    failed > 0 ? vscode.l10n.t('{0} failed', failed) : '',
    ...sweep.problems,
  ]
    .filter(Boolean)
    .join(' \u00b7 ');
  item.iconPath = new vscode.ThemeIcon('symbol-array');
  item.tooltip = plainTooltip([
    `${sweep.id}: ${item.description}`,
    finished === cells.length
      ? ''
      : sweep.isSilent
        ? vscode.l10n.t('Nothing is heard of the scheduler that worked on it last; it may still work.')
        : schedulerSentence(sweep.scheduler),
  ]);
  item.contextValue = ['grid', sweep.scheduler, finished < cells.length ? 'incomplete' : 'complete'].join(' ');
  item.command = { command: 'simdino.openGrid', title: vscode.l10n.t('Show grid'), arguments: [sweep.id] };
  return item;
}

/** What becomes of a grid's cells that have not finished. */
function schedulerSentence(state: SchedulerState): string {
  switch (state) {
    case 'running':
      return vscode.l10n.t('Cells that wait are launched as others end.');
    case 'pausing':
      return vscode.l10n.t('Nothing more is launched; the running cells go on to their end.');
    case 'paused':
      return vscode.l10n.t('Nothing is launched until it is continued.');
    case 'cancelled':
    case 'idle':
      return vscode.l10n.t('Nothing works on it; \u201cRun missing and failed cells\u201d starts the rest.');
  }
}

/** Paragraphs of a tooltip in which nothing is markup. */
function plainTooltip(paragraphs: readonly string[]): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  for (const paragraph of paragraphs.filter(Boolean)) tooltip.appendText(paragraph).appendMarkdown('\n\n');
  return tooltip;
}

function schedulerWord(state: SchedulerState): string {
  switch (state) {
    case 'running':
      return vscode.l10n.t('running');
    case 'pausing':
      return vscode.l10n.t('pausing');
    case 'paused':
      return vscode.l10n.t('paused');
    case 'cancelled':
      return vscode.l10n.t('cancelled');
    case 'idle':
      return '';
  }
}

function groupItem(group: GroupKind, count: number): vscode.TreeItem {
  const labels: Record<GroupKind, string> = {
    active: vscode.l10n.t('Active'),
    queued: vscode.l10n.t('Queued'),
    finished: vscode.l10n.t('Finished'),
    grids: vscode.l10n.t('Grids'),
    archived: vscode.l10n.t('Archived'),
  };
  const { Expanded, Collapsed } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(labels[group], group === 'archived' ? Collapsed : Expanded);
  item.id = `group ${group}`;
  item.description = String(count);
  item.contextValue = `group ${group}`;
  return item;
}

function moreItem(group: GroupKind, left: number): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Show more ({0} left)', left));
  item.id = `more ${group}`;
  item.command = { command: 'simdino.showMoreRuns', title: vscode.l10n.t('Show more'), arguments: [group] };
  return item;
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
