import * as vscode from 'vscode';
import { formatDiagnostics } from '../../configs/diagnostic.ts';
import { extendedConfig } from '../../configs/extendedConfig.ts';
import { valueAt } from '../../configs/plainValues.ts';
import { resolvedText } from '../../configs/resolvedText.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { configDocument } from './configDocument.ts';
import { resolvedScheme } from './yamlDocuments.ts';

/** Mark the two sides of a diff in an address: what a configuration extends, and the configuration. */
const sides = ['extended', 'own'] as const;
const [extendedSide, ownSide] = sides;

/** Configurations with every value in force, read-only and in step with their files: to be read, and to be compared. */
export class ResolvedConfigs {
  constructor(private readonly documents: AnalysedDocuments) {}

  /** The text behind an address that `show` has made: it names the source. */
  async text(uri: vscode.Uri): Promise<string> {
    const source = vscode.Uri.parse(uri.query);
    const document = await vscode.workspace.openTextDocument(source);
    const analysis = this.documents.of(document);
    if (analysis?.kind !== 'config')
      return `# ${vscode.l10n.t('{0} is not a SimDINO configuration.', source.fsPath)}\n`;
    const { config, diagnostics } = analysis.read;
    const shown = uri.fragment === extendedSide ? extendedConfig(analysis.read) : config;
    // Both sides of a diff begin alike, so that only values differ.
    const isSide = (sides as readonly string[]).includes(uri.fragment);
    const comment = isSide ? vscode.l10n.t('Every value in force') : vscode.l10n.t('Resolved from {0}', source.fsPath);
    if (shown) return resolvedText(shown, comment);
    const faults = diagnostics.filter(({ severity }) => severity === 'error');
    return `${formatDiagnostics(faults, analysis.text, source.fsPath).replace(/^/gm, '# ')}\n`;
  }

  /** "Compare with what it extends": only the keys that the file changes differ, whatever is written where. */
  async compareWithExtended(argument: unknown): Promise<void> {
    const source = await configDocument(this.documents, argument);
    const analysis = source && this.documents.of(source);
    if (!source || analysis?.kind !== 'config') return;
    const name = nameOf(source);
    const reference: unknown = valueAt(analysis.yaml.value, ['extends']);
    if (typeof reference !== 'string' || analysis.read.base === undefined) {
      void vscode.window.showInformationMessage(vscode.l10n.t('{0} extends no other configuration.', name));
      return;
    }
    const query = source.uri.toString();
    const at = (path: string, fragment: string): vscode.Uri =>
      vscode.Uri.from({ scheme: resolvedScheme, path: `/${path}.yaml`, query, fragment });
    const title = `${reference} \u2194 ${name}`;
    const extended = at(reference.slice(reference.lastIndexOf('/') + 1).replace(/\.ya?ml$/, ''), extendedSide);
    await vscode.commands.executeCommand('vscode.diff', extended, at(name, ownSide), title);
  }

  async show(argument: unknown): Promise<void> {
    const source = await configDocument(this.documents, argument);
    if (!source) return;
    const path = `/${nameOf(source)} (resolved).yaml`;
    const uri = vscode.Uri.from({ scheme: resolvedScheme, path, query: source.uri.toString() });
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
      preview: true,
    });
  }
}

function nameOf({ uri }: vscode.TextDocument): string {
  return uri.path.slice(uri.path.lastIndexOf('/') + 1).replace(/\.ya?ml$/, '');
}
