import * as vscode from 'vscode';
import { documentKind } from '../../configs/documentKind.ts';
import { inBackground } from '../log.ts';
import type { LanguageOptions } from './analysedDocuments.ts';
import type { LanguageFeatures } from './languageFeatures.ts';
import { isYaml, pathOf, resolvedScheme } from './yamlDocuments.ts';

/**
 * Language features of SimDINO's YAML. They carry the configuration schema, so they are loaded when the first document
 * turns out to be one of ours, or a command needs them; until then a document costs a few regular expressions.
 */
export function registerLanguageFeatures(context: vscode.ExtensionContext, options: LanguageOptions): void {
  let loaded: Promise<LanguageFeatures> | undefined;
  const load = (): Promise<LanguageFeatures> =>
    (loaded ??= import('./languageFeatures.ts').then((module) => {
      const features = new module.LanguageFeatures(options);
      context.subscriptions.push(features);
      watching.dispose();
      return features;
    }));
  const loadFor = (document: vscode.TextDocument): void => {
    if (!isYaml(document) || documentKind(pathOf(document), document.getText()) === undefined) return;
    inBackground('language features', load());
  };
  const watching = vscode.Disposable.from(
    vscode.workspace.onDidOpenTextDocument(loadFor),
    vscode.workspace.onDidChangeTextDocument(({ document }) => loadFor(document)),
  );
  const resolvedChanged = new vscode.EventEmitter<vscode.Uri>();
  context.subscriptions.push(
    watching,
    resolvedChanged,
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      for (const { uri } of vscode.workspace.textDocuments) {
        if (uri.scheme === resolvedScheme && uri.query === document.uri.toString()) resolvedChanged.fire(uri);
      }
    }),
    vscode.workspace.registerTextDocumentContentProvider(resolvedScheme, {
      onDidChange: resolvedChanged.event,
      provideTextDocumentContent: async (uri) => (await load()).resolved.text(uri),
    }),
    vscode.commands.registerCommand('simdino.showResolvedConfig', async (argument?: unknown) =>
      (await load()).resolved.show(argument),
    ),
    vscode.commands.registerCommand('simdino.compareWithExtended', async (argument?: unknown) =>
      (await load()).resolved.compareWithExtended(argument),
    ),
    vscode.commands.registerCommand('simdino.editHyperparameter', async (argument?: unknown, key?: unknown) =>
      (await load()).editHyperparameter(argument, key),
    ),
  );
  vscode.workspace.textDocuments.forEach(loadFor);
}
