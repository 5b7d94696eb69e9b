import * as vscode from 'vscode';
import { hover } from '../../configs/language/hover.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { yamlDocuments } from './yamlDocuments.ts';
import { dutiesIn } from './otherServer.ts';
import { rangeAt } from './positions.ts';

/** What a key means, what follows from its value, and what own runs had with which value. */
export function registerHover(documents: AnalysedDocuments): vscode.Disposable {
  return vscode.languages.registerHoverProvider(yamlDocuments, {
    async provideHover(document, position) {
      const analysis = documents.of(document);
      if (!analysis) return undefined;
      const offset = document.offsetAt(position);
      const [options, past] = await Promise.all([
        documents.hintOptions(analysis),
        documents.runs.markdown(
          analysis.kind === 'config' ? analysis.read.tentative : analysis.read.sweep?.runs[0]?.config,
        ),
      ]);
      const found = hover(analysis, offset, { ...options, past, part: dutiesIn(document).hover });
      if (!found) return undefined;
      return new vscode.Hover(new vscode.MarkdownString(found.markdown), rangeAt(document, found.start, found.end));
    },
  });
}
