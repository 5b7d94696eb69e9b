import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as vscode from 'vscode';
import { formatDiagnostics, hasErrors, sentence, type Diagnostic } from '../../configs/diagnostic.ts';
import { setYamlValue } from '../../configs/editYaml.ts';
import { readConfig } from '../../configs/readConfig.ts';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { log } from '../log.ts';
import { fileLoader } from './configFiles.ts';
import { preflight, type Finding } from './preflight.ts';

/** A configuration with changed values: the text that the runtime will see, and what is to be said about it. */
export function readChanged(
  path: string,
  set: Record<string, string>,
  presetsFolder: string,
): { text: string; config?: ResolvedConfig; diagnostics: Diagnostic[] } {
  let text = readFileSync(path, 'utf8');
  for (const [key, value] of Object.entries(set))
    text = setYamlValue(text, key.split('.'), parse(value) as unknown).text;
  const { config, diagnostics } = readConfig(text, { path, load: fileLoader(presetsFolder) });
  return { text, diagnostics, ...(config ? { config } : {}) };
}

/**
 * Checks a configuration before its start: its text, then what the machine lacks. What is wrong is shown with the way to
 * mend it. True when it may start.
 */
export async function checkBeforeStart(
  path: string,
  set: Record<string, string>,
  { presetsFolder, runsFolder }: { presetsFolder: string; runsFolder: string },
): Promise<boolean> {
  const { text, config, diagnostics } = readChanged(path, set, presetsFolder);
  if (!config || hasErrors(diagnostics)) {
    const faults = diagnostics.filter(({ severity }) => severity === 'error');
    log().error(`${path}:\n${formatDiagnostics(faults, text, path)}`);
    await showFault(path, faults);
    return false;
  }
  const findings = await preflight(config, { configPath: path, runsFolder });
  for (const { severity, message } of findings) log()[severity === 'error' ? 'error' : 'warn'](message);
  const faults = findings.filter(({ severity }) => severity === 'error');
  if (faults.length > 0) {
    await showFinding(path, faults, vscode.window.showErrorMessage);
    return false;
  }
  const start = vscode.l10n.t('Start anyway');
  if (findings.length === 0) return true;
  return (await showFinding(path, findings, vscode.window.showWarningMessage, start)) === start;
}

async function showFault(path: string, faults: Diagnostic[]): Promise<void> {
  const [first] = faults;
  const more = faults.length > 1 ? ` ${vscode.l10n.t('({0} more)', faults.length - 1)}` : '';
  const open = vscode.l10n.t('Show in file');
  const answer = await vscode.window.showErrorMessage(
    `${first ? sentence(first) : vscode.l10n.t('{0} can\u2019t be read.', path)}${more}`,
    open,
  );
  if (answer !== open) return;
  const editor = await vscode.window.showTextDocument(vscode.Uri.file(path));
  if (!first) return;
  const range = new vscode.Range(editor.document.positionAt(first.start), editor.document.positionAt(first.end));
  editor.selection = new vscode.Selection(range.start, range.end);
  editor.revealRange(range);
}

async function showFinding(
  path: string,
  findings: Finding[],
  show: typeof vscode.window.showErrorMessage,
  ...actions: string[]
): Promise<string | undefined> {
  const open = vscode.l10n.t('Open configuration');
  const answer = await show(findings.map(({ message }) => message).join(' '), ...actions, open);
  if (answer === open) await vscode.window.showTextDocument(vscode.Uri.file(path));
  return answer;
}
