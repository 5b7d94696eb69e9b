import * as vscode from 'vscode';
import { sentence } from '../../configs/diagnostic.ts';
import { yamlInline } from '../../configs/editYaml.ts';
import { fieldCatalogue, type FieldRow } from '../../configs/fieldCatalogue.ts';
import { flattenConfig } from '../../experiments/flattenConfig.ts';
import type { Method } from '../../configs/schema.ts';
import type { JsonScalar } from '../../protocol/records.ts';
import { paperText } from '../language/paperText.ts';
import { readChanged } from './checkConfig.ts';

/** At once, or when the run's device is free. */
export type StartHow = 'now' | 'queued';

/**
 * Lets a person change values of a configuration one by one before a start. The result maps dotted keys to YAML texts;
 * undefined when nobody wants to start. `reason` stands above the list; `how` is the way of starting that is offered first.
 */
export async function askChanges(
  configPath: string,
  presetsFolder: string,
  { initial = {}, reason, how }: { initial?: Record<string, JsonScalar>; reason: string; how: StartHow },
): Promise<{ set: Record<string, string>; how: StartHow } | undefined> {
  const changes = new Map(Object.entries(initial).map(([key, value]) => [key, yamlInline(value)]));
  for (;;) {
    const { config } = readChanged(configPath, Object.fromEntries(changes), presetsFolder);
    const current = flattenConfig(config ?? {});
    const answer = await vscode.window.showQuickPick(itemsOf(changes, current, how), {
      title: reason,
      placeHolder: vscode.l10n.t('Choose a key to change, or start'),
      matchOnDescription: true,
      matchOnDetail: true,
    });
    if (!answer) return undefined;
    if (answer.row === undefined) return { set: Object.fromEntries(changes), how: answer.how ?? 'now' };
    const key = answer.row.path;
    const shown = changes.get(key) ?? String(current[key] ?? '');
    const value = await askValue(answer.row, config?.method, shown, (text) =>
      faultOf(configPath, presetsFolder, changes, key, text),
    );
    if (value === '') changes.delete(key);
    else if (value !== undefined) changes.set(key, value);
  }
}

type KeyItem = vscode.QuickPickItem & { row?: FieldRow; how?: StartHow };

function itemsOf(
  changes: ReadonlyMap<string, string>,
  current: Record<string, JsonScalar>,
  first: StartHow,
): KeyItem[] {
  const summary = [...changes].map(([key, value]) => `${key}: ${value}`).join(', ');
  const start: KeyItem = {
    label: `$(play) ${changes.size === 0 ? vscode.l10n.t('Start as it is') : vscode.l10n.t('Start with {0} changes', changes.size)}`,
    description: summary,
    alwaysShow: true,
    how: 'now',
  };
  const queue: KeyItem = {
    label: `$(clock) ${changes.size === 0 ? vscode.l10n.t('Queue as it is') : vscode.l10n.t('Queue with {0} changes', changes.size)}`,
    description: vscode.l10n.t('starts when its device is free'),
    alwaysShow: true,
    how: 'queued',
  };
  const rows = [...fieldCatalogue().values()].filter((row) => row.type !== 'section' && row.path !== 'extends');
  rows.sort((a, b) => Number(changes.has(b.path)) - Number(changes.has(a.path)));
  return [
    ...(first === 'now' ? [start, queue] : [queue, start]),
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    ...rows.map((row): KeyItem => ({
      label: `${changes.has(row.path) ? '$(edit) ' : ''}${row.path}`,
      description: changes.get(row.path) ?? String(current[row.path] ?? ''),
      detail: row.description,
      row,
    })),
  ];
}

function askValue(
  row: FieldRow,
  method: Method | undefined,
  value: string,
  fault: (text: string) => string | undefined,
): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: row.path,
    prompt: [`${row.expected}.`, paperText(row, method), vscode.l10n.t('Empty takes the change back.')]
      .filter(Boolean)
      .join(' '),
    value,
    validateInput: (text) => (text.trim() === '' ? undefined : fault(text)),
  });
}

function faultOf(
  path: string,
  presetsFolder: string,
  changes: ReadonlyMap<string, string>,
  key: string,
  text: string,
): string | undefined {
  try {
    const { diagnostics } = readChanged(path, { ...Object.fromEntries(changes), [key]: text }, presetsFolder);
    const fault = diagnostics.find((diagnostic) => diagnostic.severity === 'error' && diagnostic.path.startsWith(key));
    return fault && sentence(fault);
  } catch (error) {
    return (error as Error).message; // the text is no YAML
  }
}
