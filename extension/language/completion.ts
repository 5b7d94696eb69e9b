import * as vscode from 'vscode';
import { completions, type Completion } from '../../configs/language/completion.ts';
import { pathOf, yamlDocuments } from './yamlDocuments.ts';
import { dutiesIn } from './otherServer.ts';
import { rangeAt } from './positions.ts';

const icons: Record<Completion['kind'], vscode.CompletionItemKind> = {
  section: vscode.CompletionItemKind.Module,
  key: vscode.CompletionItemKind.Property,
  value: vscode.CompletionItemKind.Value,
};

/** Keys and values, offered while typing and after a colon or a space. */
export function registerCompletion(): vscode.Disposable {
  const provider: vscode.CompletionItemProvider = {
    provideCompletionItems(document, position) {
      if (!dutiesIn(document).completion) return [];
      const found = completions(document.getText(), document.offsetAt(position), pathOf(document));
      return found.map((completion, index) => asItem(document, completion, index));
    },
  };
  return vscode.languages.registerCompletionItemProvider(yamlDocuments, provider, ':', ' ', '[', '{', ',');
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
