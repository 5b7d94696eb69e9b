import * as vscode from 'vscode';
import { formatDiagnostics } from '../../configs/diagnostic.ts';
import { resolvedText } from '../../configs/resolvedText.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { configDocument } from './configDocument.ts';
import { resolvedScheme } from './yamlDocuments.ts';

/** "Show resolved configuration": every key with its value in force, read-only, in step with the file beside it. */
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
    if (config) return resolvedText(config, vscode.l10n.t('Resolved from {0}', source.fsPath));
    const faults = diagnostics.filter(({ severity }) => severity === 'error');
    return `${formatDiagnostics(faults, analysis.text, source.fsPath).replace(/^/gm, '# ')}\n`;
  }

  async show(argument: unknown): Promise<void> {
    const source = await configDocument(this.documents, argument);
    if (!source) return;
    const name = source.uri.path.slice(source.uri.path.lastIndexOf('/') + 1).replace(/\.ya?ml$/, '');
    const path = `/${name} (resolved).yaml`;
    const uri = vscode.Uri.from({ scheme: resolvedScheme, path, query: source.uri.toString() });
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
      preview: true,
    });
  }
}
