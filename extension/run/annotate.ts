import * as vscode from 'vscode';
import type { Annotations } from '../../protocol/records.ts';
import { changeAnnotations } from '../../experiments/store/annotationsFile.ts';
import { pickRun, type RunArgument } from './pickRun.ts';
import { runName } from './runText.ts';
import type { RunWatch } from './runWatch.ts';

/** Commands that change what people say about a run: name, star, tags, notes, archive. */
export function registerAnnotations(context: vscode.ExtensionContext, watch: RunWatch): void {
  const command = (
    id: string,
    title: string,
    ask: (current: Annotations, id: string) => Promise<Partial<Annotations> | undefined>,
    isMeant: (current: Annotations) => boolean = () => true,
  ) =>
    context.subscriptions.push(
      vscode.commands.registerCommand(id, async (argument: RunArgument) => {
        const run = await pickRun(watch, argument, { title, filter: ({ annotations }) => isMeant(annotations) });
        if (!run) return;
        const changes = await ask(run.annotations, run.id);
        if (!changes) return;
        await changeAnnotations(run.folder, changes);
        await watch.refresh(run.id);
      }),
    );
  /** A mark that is on or off: the palette offers only the runs whose mark would change. */
  const mark = (id: string, title: string, name: 'star' | 'archived', on: boolean) =>
    command(
      id,
      title,
      () => Promise.resolve({ [name]: on }),
      (current) => (current[name] ?? false) !== on,
    );

  mark('simdino.starRun', vscode.l10n.t('Star run'), 'star', true);
  mark('simdino.unstarRun', vscode.l10n.t('Remove star from run'), 'star', false);
  mark('simdino.archiveRun', vscode.l10n.t('Archive run'), 'archived', true);
  mark('simdino.unarchiveRun', vscode.l10n.t('Take run out of the archive'), 'archived', false);

  command('simdino.renameRun', vscode.l10n.t('Rename run'), async (current, id) => {
    const name = await vscode.window.showInputBox({
      title: vscode.l10n.t('Rename {0}', id),
      prompt: vscode.l10n.t('The folder keeps its name. Empty shows the folder\u2019s name again.'),
      value: runName({ id, annotations: current }),
      validateInput: (text) => (text.length > 200 ? vscode.l10n.t('At most 200 characters.') : undefined),
    });
    return name === undefined ? undefined : { name: name.trim() };
  });

  command('simdino.tagRun', vscode.l10n.t('Tag run'), async (current, id) => {
    const text = await vscode.window.showInputBox({
      title: vscode.l10n.t('Tags of {0}', id),
      prompt: vscode.l10n.t('Separated by commas.'),
      value: (current.tags ?? []).join(', '),
    });
    if (text === undefined) return undefined;
    const tags = text
      .split(',')
      .map((tag) => tag.trim())
      .filter(Boolean);
    return { tags: [...new Set(tags)] };
  });

  command('simdino.noteRun', vscode.l10n.t('Write a note'), async (current, id) => {
    const notes = await vscode.window.showInputBox({
      title: vscode.l10n.t('Note on {0}', id),
      value: current.notes ?? '',
    });
    return notes === undefined ? undefined : { notes };
  });
}
