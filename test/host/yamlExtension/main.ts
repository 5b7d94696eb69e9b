/**
 * redhat.vscode-yaml as far as a document meets it: yaml-language-server's diagnostics, completions, hovers and outline, with
 * the schemas of manifests, under that extension's id and settings. The real one comes from a marketplace, which a machine may
 * not reach; the server inside is the same package.
 */
import * as vscode from 'vscode';
import type { Diagnostic as ServerDiagnostic } from 'yaml-language-server';
import { startYamlServer } from '../../../bench/yamlPeer.ts';

type ServerRange = ServerDiagnostic['range'];

/** Set where this is bundled. */
declare const repositoryRoot: string;
const yaml: vscode.DocumentSelector = { language: 'yaml', scheme: 'file' };

export function activate(context: vscode.ExtensionContext): void {
  const server = startYamlServer(repositoryRoot);
  const collection = vscode.languages.createDiagnosticCollection('yaml');
  const validate = async (document: vscode.TextDocument): Promise<void> => {
    if (vscode.languages.match(yaml, document) === 0) return;
    const found = isOn('validate') ? await server.validate(document.uri.fsPath, document.getText()) : [];
    collection.set(
      document.uri,
      found.map(({ range, message }) => {
        const diagnostic = new vscode.Diagnostic(asRange(range), message);
        diagnostic.source = 'YAML';
        return diagnostic;
      }),
    );
  };
  const validateAll = (): void => vscode.workspace.textDocuments.forEach((document) => void validate(document));

  validateAll();
  context.subscriptions.push(
    collection,
    vscode.workspace.onDidOpenTextDocument(validate),
    vscode.workspace.onDidChangeTextDocument(({ document }) => validate(document)),
    vscode.workspace.onDidChangeConfiguration(validateAll),
    vscode.languages.registerCompletionItemProvider(yaml, {
      async provideCompletionItems(document, position) {
        if (!isOn('completion')) return [];
        const { items } = await server.complete(document.uri.fsPath, document.getText(), document.offsetAt(position));
        return items.map(({ label }) => new vscode.CompletionItem(label, vscode.CompletionItemKind.Property));
      },
    }),
    vscode.languages.registerHoverProvider(yaml, {
      async provideHover(document, position) {
        if (!isOn('hover')) return undefined;
        const found = await server.hover(document.uri.fsPath, document.getText(), document.offsetAt(position));
        const words = found?.contents;
        if (typeof words !== 'object' || !('value' in words)) return undefined;
        return new vscode.Hover(new vscode.MarkdownString(words.value), found?.range && asRange(found.range));
      },
    }),
    vscode.languages.registerDocumentSymbolProvider(yaml, {
      provideDocumentSymbols: (document) =>
        server
          .symbols(document.uri.fsPath, document.getText())
          .map(
            ({ name, range }) =>
              new vscode.DocumentSymbol(name, '', vscode.SymbolKind.Module, asRange(range), asRange(range)),
          ),
    }),
  );
}

function isOn(setting: 'validate' | 'completion' | 'hover'): boolean {
  return vscode.workspace.getConfiguration('yaml').get<boolean>(setting, true);
}

function asRange({ start, end }: ServerRange): vscode.Range {
  return new vscode.Range(asPosition(start), asPosition(end));
}

function asPosition({ line, character }: ServerRange['start']): vscode.Position {
  return new vscode.Position(line, character);
}
