import * as vscode from 'vscode';
import { hints } from '../../configs/language/hints.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { yamlDocuments } from './yamlDocuments.ts';

/** Numbers that follow from the configuration, behind the values they follow from. */
export function registerInlayHints(documents: AnalysedDocuments): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  const provider: vscode.InlayHintsProvider = {
    onDidChangeInlayHints: changed.event,
    async provideInlayHints(document, range) {
      const analysis = documents.of(document);
      if (!analysis) return [];
      return hints(analysis, await documents.hintOptions(analysis)).flatMap(({ offset, text, tooltip }) => {
        const position = document.positionAt(offset);
        if (!range.contains(position)) return [];
        const hint = new vscode.InlayHint(position, text);
        hint.paddingLeft = true;
        hint.tooltip = tooltip;
        return [hint];
      });
    },
  };
  return vscode.Disposable.from(
    changed,
    documents.onDidBecomeStale(() => changed.fire()),
    documents.runs.onDidChange(() => changed.fire()),
    vscode.languages.registerInlayHintsProvider(yamlDocuments, provider),
  );
}
