import * as vscode from 'vscode';
import { methodOf } from '../../configs/language/analyse.ts';
import { pastSentence, type PastResult } from '../../configs/language/pastResults.ts';
import { yamlInline } from '../../configs/editYaml.ts';
import { checkInput, fieldChoices, type FieldChoice } from '../../configs/language/fieldChoices.ts';
import { showRounded } from '../../configs/finding.ts';
import type { Method } from '../../configs/schema.ts';
import { placeOf, readYaml } from '../../configs/yamlDocument.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { configDocument } from './configDocument.ts';
import { configOfRun } from './configOfRun.ts';
import { paperText } from './paperText.ts';
import { rangeAt, workspaceEdit } from './positions.ts';

/**
 * "Edit hyperparameter": pick a key, see what it means, its range, the paper's value and what own runs had with which
 * value, and write the new value without touching anything else in the file. `argument` is a configuration's address, a run
 * of the tree or its id; `key` skips the first question.
 */
export async function editHyperparameter(documents: AnalysedDocuments, argument: unknown, key: unknown): Promise<void> {
  const asked = documents.runs.runOf(argument);
  const chosen = asked ? undefined : await configDocument(documents, argument);
  const run = asked ?? (chosen && documents.runs.runOfRecord(chosen.uri.fsPath));
  const document = run ? await configOfRun(run) : chosen;
  const analysis = document && documents.of(document);
  if (!document || analysis?.kind !== 'config') return;
  const choices = fieldChoices(analysis.read);
  const past = await documents.runs.results(analysis.read.tentative);
  const method = methodOf(analysis);
  const choice = choices.find(({ row }) => row.path === key) ?? (await pickKey(document, choices, method, past));
  if (!choice) return;
  const input = await askValue(documents, document, choice, method, past(choice.row.path));
  if (input !== undefined) await write(documents, document, choice.row.path, input);
}

async function pickKey(
  document: vscode.TextDocument,
  choices: FieldChoice[],
  method: Method | undefined,
  past: (key: string) => PastResult[],
): Promise<FieldChoice | undefined> {
  const items: (vscode.QuickPickItem & { choice?: FieldChoice })[] = [];
  for (const choice of choices) {
    const group = originText(choice.origin);
    if (items.findLast(({ kind }) => kind === vscode.QuickPickItemKind.Separator)?.label !== group) {
      items.push({ label: group, kind: vscode.QuickPickItemKind.Separator });
    }
    items.push({
      label: choice.row.path,
      description: choice.value === undefined ? vscode.l10n.t('not set') : inList(choice.value),
      detail: [
        triedText(past(choice.row.path)),
        `${capitalised(choice.row.expected)}.`,
        paperText(choice.row, method),
        choice.row.description,
      ]
        .filter(Boolean)
        .join(' '),
      choice,
    });
  }
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Edit hyperparameter of {0}', vscode.workspace.asRelativePath(document.uri)),
    placeHolder: vscode.l10n.t('Key'),
    matchOnDetail: true,
    matchOnDescription: true,
  });
  return picked?.choice;
}

/** A choice among names, or a box whose text is checked while it is typed. */
async function askValue(
  documents: AnalysedDocuments,
  document: vscode.TextDocument,
  { row, value }: FieldChoice,
  method: Method | undefined,
  past: PastResult[],
): Promise<string | undefined> {
  const current = value === undefined ? '' : yamlInline(value);
  if (row.choices) {
    const other = vscode.l10n.t('Another value\u2026');
    const names = row.type === 'numberOrChoice' ? [...row.choices, other] : row.choices;
    const picked = await vscode.window.showQuickPick(
      names.map((name) => ({ label: name, description: describe(name, current, past) })),
      { title: row.path, placeHolder: [row.description, paperText(row, method)].filter(Boolean).join(' ') },
    );
    if (picked?.label !== other) return picked?.label;
  }
  return vscode.window.showInputBox({
    title: row.path,
    prompt: [`${row.description} ${capitalised(row.expected)}.`, paperText(row, method), triedText(past, 1)]
      .filter(Boolean)
      .join(' '),
    value: current,
    validateInput: (input) => {
      const checked = checkInput(document.getText(), row.path, input, documents.readOptions(document));
      if ('fault' in checked) return { message: checked.fault, severity: vscode.InputBoxValidationSeverity.Error };
      if (checked.warning === undefined) return undefined;
      return { message: checked.warning, severity: vscode.InputBoxValidationSeverity.Warning };
    },
  });
}

async function write(
  documents: AnalysedDocuments,
  document: vscode.TextDocument,
  path: string,
  input: string,
): Promise<void> {
  const checked = checkInput(document.getText(), path, input, documents.readOptions(document));
  if ('fault' in checked) {
    void vscode.window.showErrorMessage(checked.fault);
    return;
  }
  const { edits, changesAlso, text } = checked.edit;
  if (changesAlso.length > 0) {
    const go = vscode.l10n.t('Change all');
    const answer = await vscode.window.showWarningMessage(
      vscode.l10n.t('{0} is used by an alias: {1} would change too.', path, changesAlso.join(', ')),
      { modal: true },
      go,
    );
    if (answer !== go) return;
  }
  await vscode.workspace.applyEdit(workspaceEdit(document, edits));
  const editor = await vscode.window.showTextDocument(document);
  const { start, end } = placeOf(readYaml(text), path.split('.'));
  const range = rangeAt(document, start, end);
  editor.selection = new vscode.Selection(range.start, range.end);
  editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

function originText(origin: FieldChoice['origin']): string {
  switch (origin) {
    case 'written':
      return vscode.l10n.t('written in this file');
    case 'extended':
      return vscode.l10n.t('from the file that it extends');
    case 'default':
      return vscode.l10n.t('defaults');
  }
}

/** What own runs had; nothing where they all had one value, which tells nothing about others. */
function triedText(past: readonly PastResult[], fewest = 2): string {
  return past.length < fewest ? '' : vscode.l10n.t('Your runs, best k-NN: {0}.', pastSentence(past));
}

function describe(name: string, current: string, past: readonly PastResult[]): string {
  const tried = past.filter(({ value }) => value === name).map(({ best }) => `k-NN ${(100 * best).toFixed(1)} %`);
  return [...(name === current ? [vscode.l10n.t('now')] : []), ...tried].join(', ');
}

/** A value where there is little room: irrational defaults are cut. */
function inList(value: unknown): string {
  return typeof value === 'number' ? showRounded(value) : yamlInline(value);
}

function capitalised(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
