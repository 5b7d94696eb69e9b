import * as vscode from 'vscode';
import type { RunOverview } from '../../experiments/store/summariseRun.ts';
import { isRunId } from '../../protocol/runFolder.ts';
import type { RunNode } from './runTree.ts';
import { stateWords } from './runTreeItems.ts';
import { runDescription, runName } from './runText.ts';
import type { RunWatch } from './runWatch.ts';

/** What a command was called on: a node of the tree, a run's id, or nothing (the palette). */
export type RunArgument = RunNode | string | undefined;

export interface PickOptions {
  title: string;
  /** Which runs the command makes sense for. */
  filter?: (run: RunOverview) => boolean;
}

/** The run that a command is about; asks when it was called on none. Undefined when there is none or nobody answers. */
export async function pickRun(
  watch: RunWatch,
  argument: RunArgument,
  options: PickOptions,
): Promise<RunOverview | undefined> {
  const id = idOf(argument);
  if (id !== undefined) {
    if (!watch.run(id)) await watch.refresh(id);
    const run = watch.run(id);
    if (!run) void vscode.window.showWarningMessage(vscode.l10n.t('There is no run {0} any more.', id));
    return run;
  }
  const items = await itemsOf(watch, options);
  if (!items) return undefined;
  return (
    await vscode.window.showQuickPick(items, { title: options.title, matchOnDescription: true, matchOnDetail: true })
  )?.run;
}

/** Several runs: those selected in the tree, else a choice. */
export async function pickRuns(
  watch: RunWatch,
  argument: RunArgument,
  selection: readonly RunNode[] | undefined,
  options: PickOptions & { picked?: readonly string[] },
): Promise<RunOverview[] | undefined> {
  const selected = (selection ?? []).map(idOf).filter((id) => id !== undefined);
  if (selected.length > 1) return selected.map((id) => watch.run(id)).filter((run) => run !== undefined);
  const items = await itemsOf(watch, options);
  if (!items) return undefined;
  const picked = new Set([...(options.picked ?? []), ...selected, idOf(argument)]);
  return chooseSeveral(
    items,
    items.filter(({ run }) => picked.has(run.id)),
    options.title,
  );
}

/** A choice of several runs. Enter takes what is ticked, or the row in focus where nothing is; with neither, it goes on asking. */
function chooseSeveral(
  items: readonly RunPick[],
  ticked: readonly RunPick[],
  title: string,
): Promise<RunOverview[] | undefined> {
  const picker = vscode.window.createQuickPick<RunPick>();
  picker.title = title;
  picker.placeholder = vscode.l10n.t('Tick runs, or move to one, then press Enter');
  picker.canSelectMany = true;
  picker.matchOnDescription = true;
  picker.matchOnDetail = true;
  picker.items = items;
  picker.selectedItems = ticked;
  return new Promise((resolve) => {
    picker.onDidAccept(() => {
      const chosen = picker.selectedItems.length > 0 ? picker.selectedItems : picker.activeItems;
      if (chosen.length === 0) return;
      resolve(chosen.map(({ run }) => run));
      picker.hide();
    });
    picker.onDidHide(() => {
      resolve(undefined);
      picker.dispose();
    });
    picker.show();
  });
}

type RunPick = vscode.QuickPickItem & { run: RunOverview };

async function itemsOf(watch: RunWatch, { title, filter = () => true }: PickOptions): Promise<RunPick[] | undefined> {
  // What the watch saw last is fresh enough. A tree that is read anew takes the focus back, which would close the choice.
  if (!watch.ready) await watch.refresh();
  const runs = [...(watch.collection?.runs.values() ?? [])].filter(filter);
  if (runs.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t('{0}: there is no run that this can be done with now.', title),
    );
    return undefined;
  }
  runs.sort((a, b) => ((a.record?.createdAt ?? '') < (b.record?.createdAt ?? '') ? 1 : -1));
  const words = stateWords();
  return runs.map((run) => {
    const detail = cellWords(run);
    return {
      label: runName(run),
      description: runDescription(run, words),
      run,
      ...(detail === undefined ? {} : { detail }),
    };
  });
}

/** What a run of a grid is there: `gamma-eps: loss.eps 0.5, loss.gammaFactor 1, seed 0`. */
function cellWords({ record }: RunOverview): string | undefined {
  if (!record?.sweep) return undefined;
  const { id, cell, seed } = record.sweep;
  return `${id}: ${[...Object.entries(cell), ['seed', seed]].map(([key, value]) => `${key} ${value}`).join(', ')}`;
}

function idOf(argument: RunArgument): string | undefined {
  if (typeof argument === 'string') return isRunId(argument) ? argument : undefined;
  return argument?.kind === 'run' ? argument.id : undefined;
}
