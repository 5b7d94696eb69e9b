import * as vscode from 'vscode';
import { methodOf } from '../../configs/language/analyse.ts';
import { completions, type Completion } from '../../configs/language/completion.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { referencesFrom } from './references.ts';
import { yamlDocuments } from './yamlDocuments.ts';
import { dutiesIn } from './otherServer.ts';
import { rangeAt } from './positions.ts';

const icons: Record<Completion['kind'], vscode.CompletionItemKind> = {
  section: vscode.CompletionItemKind.Module,
  key: vscode.CompletionItemKind.Property,
  value: vscode.CompletionItemKind.Value,
};

/** Keys and values, offered while typing and after a colon or a space. */
export function registerCompletion(documents: AnalysedDocuments): vscode.Disposable {
  const provider: vscode.CompletionItemProvider = {
    provideCompletionItems(document, position) {
      if (!dutiesIn(document).completion) return [];
      const analysis = documents.of(document);
      if (!analysis) return [];
      const found = completions(analysis.text, document.offsetAt(position), analysis.path, {
        method: methodOf(analysis),
        references: () => referencesFrom(document, documents.presetsFolder),
      });
      return found.map((completion, index) => asItem(document, completion, index));
    },
  };
  return vscode.languages.registerCompletionItemProvider(yamlDocuments, provider, ':', ' ', '[', '{', ',', '/');
}

function asItem(document: vscode.TextDocument, completion: Completion, index: number): vscode.CompletionItem {
  const item = new vscode.CompletionItem(completion.label, icons[completion.kind]);
  item.insertText = completion.insert;
  // The text comes with its indentation; the editor would add its own.
  item.keepWhitespace = true;
  item.range = rangeAt(document, completion.start, completion.end);
  item.detail = completion.detail;
  item.documentation = new vscode.MarkdownString(completion.markdown);
  item.sortText = String(index).padStart(4, '0');
  if (completion.more || completion.kind === 'section') {
    item.command = { command: 'editor.action.triggerSuggest', title: vscode.l10n.t('Offer values') };
  }
  return item;
}
