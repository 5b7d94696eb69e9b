import * as vscode from 'vscode';
import { describe, log } from '../log.ts';
import { RunTree, type RunNode } from './runTree.ts';
import { stateWords } from './runTreeItems.ts';
import { progressParts, remainingText, runName } from './runText.ts';
import type { RunWatch } from './runWatch.ts';

/** The view `simdino.runs`: tree, badge, and what stands in its place while there is nothing to show. */
export function createRunView(
  context: vscode.ExtensionContext,
  watch: RunWatch,
): { tree: RunTree; reveal: (id: string) => Promise<void> } {
  const tree = new RunTree(watch);
  const view = vscode.window.createTreeView<RunNode>('simdino.runs', {
    treeDataProvider: tree,
    canSelectMany: true,
    showCollapseAll: true,
  });
  const setContext = contextKeys();
  let shownBadge = -1;
  const update = (): void => {
    const active = watch.collection?.activeRuns.length ?? 0;
    if (active !== shownBadge) {
      shownBadge = active;
      view.badge =
        active === 0
          ? undefined
          : {
              value: active,
              tooltip: active === 1 ? vscode.l10n.t('1 active run') : vscode.l10n.t('{0} active runs', active),
            };
    }
    view.message = messageOf(watch, tree.filter) ?? '';
    setContext('simdino.hasRuns', (watch.collection?.runs.size ?? 0) > 0);
    const queue = watch.collection?.queue;
    const hasQueue = (queue?.runs.length ?? 0) > 0;
    setContext('simdino.hasQueue', hasQueue);
    setContext('simdino.queueRunning', queue?.scheduler === 'running');
    setContext('simdino.queueHeld', hasQueue && queue?.scheduler !== 'running');
    setContext('simdino.looked', watch.ready);
    setContext('simdino.filtered', tree.filter !== '');
  };
  context.subscriptions.push(
    tree,
    view,
    watch.onDidChange(update),
    tree.onDidChangeTreeData(update),
    vscode.commands.registerCommand('simdino.filterRuns', async () => {
      const filter = await vscode.window.showInputBox({
        title: vscode.l10n.t('Filter runs'),
        prompt: vscode.l10n.t('Words in the name, state, method or tags; empty shows all runs.'),
        value: tree.filter,
      });
      if (filter !== undefined) tree.filter = filter;
    }),
    vscode.commands.registerCommand('simdino.clearFilter', () => {
      tree.filter = '';
    }),
    vscode.commands.registerCommand('simdino.showMoreRuns', (group: Parameters<RunTree['showMore']>[0]) =>
      tree.showMore(group),
    ),
  );
  const reveal = async (id: string): Promise<void> => {
    // The editor refuses to reveal a node while the tree is being read anew.
    for (let attempt = 1; attempt <= 3; attempt++) {
      const node = tree.find(id);
      try {
        if (node) await view.reveal(node, { select: true, focus: false, expand: true });
        return;
      } catch (error) {
        log().debug(`reveal ${id}: ${describe(error)}`);
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    }
  };
  return { tree, reveal };
}

/** Sets keys that menus and welcome texts depend on, when they change. */
function contextKeys(): (key: string, value: boolean) => void {
  const set = new Map<string, boolean>();
  return (key, value) => {
    if (set.get(key) === value) return;
    set.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  };
}

function messageOf(watch: RunWatch, filter: string): string | undefined {
  if (watch.failure !== undefined) return vscode.l10n.t('The runs folder can\u2019t be read: {0}', watch.failure);
  const skipped = watch.collection?.skipped ?? [];
  const messages = [
    filter === '' ? '' : vscode.l10n.t('Filter: {0}', filter),
    skipped.length === 0 ? '' : vscode.l10n.t('Passed over: {0}', skippedText(skipped.map(({ name }) => name))),
  ].filter(Boolean);
  return messages.length > 0 ? messages.join(' \u00b7 ') : undefined;
}

/** A few names of folders; the output has all of them with the reasons. */
function skippedText(names: string[]): string {
  const shown = names.slice(0, 3).map(shortName).join(', ');
  return names.length > 3 ? vscode.l10n.t('{0} and {1} more', shown, names.length - 3) : shown;
}

/** The status bar item of the active runs: epoch, loss and remaining time of the newest one. */
export function createStatusBar(context: vscode.ExtensionContext, watch: RunWatch): void {
  const item = vscode.window.createStatusBarItem('simdino.active', vscode.StatusBarAlignment.Left, 10);
  item.name = vscode.l10n.t('SimDINO run');
  const update = (): void => {
    const active = [...(watch.collection?.activeRuns ?? [])].sort((a, b) =>
      (a.record?.createdAt ?? '') < (b.record?.createdAt ?? '') ? 1 : -1,
    );
    const [run] = active;
    if (!run) {
      item.hide();
      return;
    }
    const left = remainingText(run);
    const [epoch, ...figures] = progressParts(run);
    // The window cuts the end of a long text: what is left of the training is asked for more often than the figures.
    const progress = [epoch, left && vscode.l10n.t('{0} left', left), ...figures].filter((part) => part !== undefined);
    const parts = run.state === 'running' ? progress : [stateWords()[run.state]];
    const more = active.length > 1 ? ` (+${active.length - 1})` : '';
    item.text = `$(pulse) ${[shortName(runName(run)), ...parts].join(' \u00b7 ')}${more}`;
    const words = [runName(run), ...parts].join(', ');
    // Without a label of its own, a screen reader is given the Markdown of the tooltip, escapes included.
    item.accessibilityInformation = {
      label: active.length > 1 ? vscode.l10n.t('{0}; {1} active runs', words, active.length) : words,
    };
    const tooltip = new vscode.MarkdownString();
    for (const one of active.slice(0, 10)) {
      tooltip
        .appendText(`${runName(one)}: ${[stateWords()[one.state], ...progressParts(one)].join(', ')}`)
        .appendMarkdown('\n\n');
    }
    item.tooltip = tooltip;
    item.command = { command: 'simdino.openCurves', title: vscode.l10n.t('Show curves'), arguments: [run.id] };
    item.show();
  };
  context.subscriptions.push(item, watch.onDidChange(update));
}

/** Icons in a status bar text are written `$(name)`: a run's name must not become one. */
function shortName(name: string): string {
  const plain = name.replaceAll('$(', '$ (');
  return plain.length > 24 ? `${plain.slice(0, 23)}\u2026` : plain;
}
