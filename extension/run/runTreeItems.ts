/** What the rows of the tree of runs show: words, icons, tooltips, and the context that their menus go by. */
import * as vscode from 'vscode';
import type { CheckpointRow } from '../../experiments/checkpointRows.ts';
import { formatBytes, formatMetric, formatNumber } from '../../experiments/formatMetric.ts';
import { limitOf, type QueuedRun, type QueueOverview } from '../../experiments/store/queue.ts';
import type { SweepOverview } from '../../experiments/store/runCollection.ts';
import { isUnreadable, shownState, type RunOverview } from '../../experiments/store/summariseRun.ts';
import { isActive, isResumable } from '../../experiments/status.ts';
import type { ShownState } from '../../protocol/panelMessages.ts';
import { isImportedLog, type SchedulerState } from '../../protocol/records.ts';
import type { GroupKind } from './runGroups.ts';
import { isUndecided, remainingText, runDescription, runName, treeDescription, type StateWords } from './runText.ts';
import type { RunWatch } from './runWatch.ts';

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

/** Icons differ by shape, colour only underlines. */
const stateIcons: Record<ShownState, [icon: string, colour?: string]> = {
  queued: ['clock'],
  starting: ['rocket', 'charts.blue'],
  running: ['play-circle', 'charts.blue'],
  stopping: ['debug-pause', 'charts.yellow'],
  finished: ['pass', 'charts.green'],
  stopped: ['debug-stop', 'charts.yellow'],
  failed: ['error', 'charts.red'],
  crashed: ['flame', 'charts.red'],
  stale: ['question', 'charts.yellow'],
  unreadable: ['warning'],
};

function stateIcon(state: ShownState): vscode.ThemeIcon {
  const [icon, colour] = stateIcons[state];
  return new vscode.ThemeIcon(icon, colour === undefined ? undefined : new vscode.ThemeColor(colour));
}

export function runItem(run: RunOverview, id: string): vscode.TreeItem {
  const { annotations, state } = run;
  const item = new vscode.TreeItem(
    `${annotations.star ? '\u2605 ' : ''}${runName(run)}`,
    // Under a run are its checkpoints; one that never trained has none.
    run.attemptCount > 0 ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None,
  );
  item.id = id;
  // Beside a name that is written from right to left, digits would be drawn among its letters.
  item.description = `${isRightToLeft(runName(run)) ? leftToRightMark : ''}${treeDescription(run, stateWords())}`;
  item.iconPath = stateIcon(shownState(run));
  item.tooltip = runTooltip(run);
  item.contextValue = [
    'run',
    isActive(state) || state === 'stale' || state === 'queued' ? 'active' : 'ended',
    ...(isResumable(state) && !(run.record && isImportedLog(run.record)) ? ['resumable'] : []),
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
  const line = (label: string, text: string | undefined): string => (text ? `${label}: ${text}` : '');
  return plainTooltip([
    runName(run),
    line(vscode.l10n.t('State'), stateText(run)),
    line(vscode.l10n.t('Reason'), outcome?.type === 'failed' ? outcome.message.slice(0, 500) : undefined),
    line(vscode.l10n.t('Left'), remainingText(run)),
    line(vscode.l10n.t('Run'), run.id),
    line(vscode.l10n.t('Configuration'), record?.configSource),
    line(vscode.l10n.t('Seed'), record ? String(record.seed) : undefined),
    line(vscode.l10n.t('Engine'), lastAttempt ? `${lastAttempt.engine} (${lastAttempt.device})` : undefined),
    line(
      vscode.l10n.t('Process'),
      lastAttempt ? `${lastAttempt.process.pid} on ${lastAttempt.process.hostname}` : undefined,
    ),
    line(
      vscode.l10n.t('Commit'),
      record?.git
        ? record.git.commit.slice(0, 10) + (record.git.dirty ? vscode.l10n.t(', with changes') : '')
        : undefined,
    ),
    line(vscode.l10n.t('Tags'), annotations.tags?.join(', ')),
    line(vscode.l10n.t('Notes'), annotations.notes?.slice(0, 500)),
    ...problems.map((problem) => line(vscode.l10n.t('Unreadable'), problem)),
  ]);
}

function stateText(run: RunOverview): string {
  if (isUnreadable(run)) return stateWords().unreadable;
  return isUndecided(run) ? vscode.l10n.t('looking for a sign of life') : stateWords()[run.state];
}

export function queuedItem(entry: QueuedRun, queue: QueueOverview): vscode.TreeItem {
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
    lost: vscode.l10n.t('the queue\u2019s scheduler is lost'),
    silent: vscode.l10n.t('nothing is heard of the queue\u2019s scheduler'),
    idle: vscode.l10n.t('nothing works on the queue'),
  }[queue.scheduler];
  item.id = `queued ${runId}`;
  item.description = [words[state], state === 'waiting' ? held : '', ...entry.problems]
    .filter(Boolean)
    .join(' \u00b7 ');
  item.iconPath = new vscode.ThemeIcon(state === 'failed' ? 'error' : 'clock');
  item.contextValue = `queued ${state}`;
  item.tooltip = plainTooltip([
    `${runId}: ${item.description}`,
    `${vscode.l10n.t('Configuration')}: ${record?.configSource ?? ''}`,
  ]);
  return item;
}

export function checkpointItem(row: CheckpointRow, id: string): vscode.TreeItem {
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

export function cellItem(runId: string, id: string, scheduler: SchedulerState): vscode.TreeItem {
  const item = new vscode.TreeItem(runId);
  const waits = scheduler === 'running';
  item.id = id;
  item.description = waits ? vscode.l10n.t('waits for its turn') : vscode.l10n.t('not started');
  item.iconPath = new vscode.ThemeIcon(waits ? 'clock' : 'circle-outline');
  item.contextValue = 'cell';
  item.tooltip = plainTooltip([`${runId}: ${item.description}`, schedulerSentence(scheduler)]);
  return item;
}

export function gridItem(sweep: SweepOverview, watch: RunWatch): vscode.TreeItem {
  const item = new vscode.TreeItem(sweep.id, vscode.TreeItemCollapsibleState.Collapsed);
  const cells = sweep.record?.cells ?? [];
  const states = cells.map(({ runId }) => watch.run(runId)?.state);
  const finished = states.filter((state) => state === 'finished').length;
  const failed = states.filter((state) => state === 'failed' || state === 'crashed').length;
  item.id = `grid ${sweep.id}`;
  item.description = [
    vscode.l10n.t('{0}/{1} finished', finished, cells.length),
    finished === cells.length ? '' : schedulerWord(sweep.scheduler),
    failed > 0 ? vscode.l10n.t('{0} failed', failed) : '',
    ...sweep.problems,
  ]
    .filter(Boolean)
    .join(' \u00b7 ');
  item.iconPath = new vscode.ThemeIcon('symbol-array');
  item.tooltip = plainTooltip([
    `${sweep.id}: ${item.description}`,
    finished === cells.length ? '' : schedulerSentence(sweep.scheduler),
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
    case 'lost':
      return vscode.l10n.t(
        'The scheduler that worked on it is gone; \u201cRun missing and failed cells\u201d starts the rest.',
      );
    case 'silent':
      return vscode.l10n.t('Nothing is heard of the scheduler that worked on it last; it may still work.');
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
    case 'lost':
      return vscode.l10n.t('scheduler lost');
    case 'silent':
      return vscode.l10n.t('scheduler silent');
    case 'idle':
      return '';
  }
}

export function groupItem(group: GroupKind, count: number): vscode.TreeItem {
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

export function moreItem(group: GroupKind, left: number): vscode.TreeItem {
  const item = new vscode.TreeItem(vscode.l10n.t('Show more ({0} left)', left));
  item.id = `more ${group}`;
  item.command = { command: 'simdino.showMoreRuns', title: vscode.l10n.t('Show more'), arguments: [group] };
  return item;
}
