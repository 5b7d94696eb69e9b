import * as vscode from 'vscode';
import { hover } from '../../configs/language/hover.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { yamlDocuments } from './yamlDocuments.ts';
import { dutiesIn } from './otherServer.ts';
import { rangeAt } from './positions.ts';

/** What a key means and what follows from its value. */
export function registerHover(documents: AnalysedDocuments): vscode.Disposable {
  return vscode.languages.registerHoverProvider(yamlDocuments, {
    provideHover(document, position) {
      const analysis = documents.of(document);
      if (!analysis || !dutiesIn(document).hover) return undefined;
      const found = hover(analysis, document.offsetAt(position), documents.hintOptions(analysis));
      if (!found) return undefined;
      return new vscode.Hover(new vscode.MarkdownString(found.markdown), rangeAt(document, found.start, found.end));
    },
  });
}
