import * as vscode from 'vscode';
import { formatDiagnostics } from '../../configs/diagnostic.ts';
import { resolvedText } from '../../configs/resolvedText.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { configDocument } from './configDocument.ts';

const scheme = 'simdino-resolved';

/** "Show resolved configuration": every key with its value in force, read-only, in step with the file beside it. */
export function registerResolvedConfig(documents: AnalysedDocuments): vscode.Disposable {
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const provider: vscode.TextDocumentContentProvider = {
    onDidChange: changed.event,
    async provideTextDocumentContent(uri) {
      const source = vscode.Uri.parse(uri.query);
      const document = await vscode.workspace.openTextDocument(source);
      const analysis = documents.of(document);
      if (analysis?.kind !== 'config')
        return `# ${vscode.l10n.t('{0} is not a SimDINO configuration.', source.fsPath)}\n`;
      const { config, diagnostics } = analysis.read;
      if (config) return resolvedText(config, vscode.l10n.t('Resolved from {0}', source.fsPath));
      const faults = diagnostics.filter(({ severity }) => severity === 'error');
      return `${formatDiagnostics(faults, analysis.text, source.fsPath)}\n`.replace(/^/gm, '# ');
    },
  };
  return vscode.Disposable.from(
    changed,
    vscode.workspace.registerTextDocumentContentProvider(scheme, provider),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      for (const shown of vscode.workspace.textDocuments) {
        if (shown.uri.scheme === scheme && shown.uri.query === document.uri.toString()) changed.fire(shown.uri);
      }
    }),
    vscode.commands.registerCommand('simdino.showResolvedConfig', async (argument?: unknown) => {
      const source = await configDocument(documents, argument);
      if (!source) return;
      const uri = resolvedUri(source.uri);
      const document = await vscode.workspace.openTextDocument(uri);
      changed.fire(uri);
      await vscode.window.showTextDocument(document, {
        viewColumn: vscode.ViewColumn.Beside,
        preserveFocus: true,
        preview: true,
      });
    }),
  );
}

function resolvedUri(source: vscode.Uri): vscode.Uri {
  const name = source.path.slice(source.path.lastIndexOf('/') + 1).replace(/\.ya?ml$/, '');
  return vscode.Uri.from({ scheme, path: `/${name} (resolved).yaml`, query: source.toString() });
}
