import * as vscode from 'vscode';
import { outline, type OutlineItem } from '../../configs/language/outline.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { dutiesIn } from './otherServer.ts';
import { rangeAt } from './positions.ts';
import { yamlDocuments } from './yamlDocuments.ts';

const kinds: Record<OutlineItem['kind'], vscode.SymbolKind> = {
  section: vscode.SymbolKind.Module,
  key: vscode.SymbolKind.Property,
};

/** Sections and keys for the outline, breadcrumbs and "Go to Symbol in Editor". */
export function registerOutline(documents: AnalysedDocuments): vscode.Disposable {
  return vscode.languages.registerDocumentSymbolProvider(
    yamlDocuments,
    {
      provideDocumentSymbols(document) {
        const analysis = documents.of(document);
        if (!analysis || !dutiesIn(document).outline) return [];
        return outline(analysis).map((item) => asSymbol(document, item));
      },
    },
    { label: 'SimDINO' },
  );
}

function asSymbol(document: vscode.TextDocument, item: OutlineItem): vscode.DocumentSymbol {
  const { name, detail, kind, start, end, nameEnd, children } = item;
  const range = rangeAt(document, start, end);
  const symbol = new vscode.DocumentSymbol(name, detail, kinds[kind], range, rangeAt(document, start, nameEnd));
  symbol.children = children.map((child) => asSymbol(document, child));
  return symbol;
}
