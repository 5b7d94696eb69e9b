import * as vscode from 'vscode';
import { sentence } from '../../configs/diagnostic.ts';
import { quickFixes } from '../../configs/quickFixes.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { yamlDocuments } from './yamlDocuments.ts';
import { diagnosticSource } from './diagnostics.ts';
import { rangeAt, workspaceEdit } from './positions.ts';

/** Offers what would mend a problem, also one that another extension has reported at the same place. */
export function registerQuickFixes(documents: AnalysedDocuments): vscode.Disposable {
  const provider: vscode.CodeActionProvider = {
    provideCodeActions(document, range, context) {
      const analysis = documents.of(document);
      if (!analysis) return [];
      return analysis.diagnostics
        .filter(({ start, end }) => range.intersection(rangeAt(document, start, end)) !== undefined)
        .flatMap((diagnostic) => {
          const shown = context.diagnostics.filter(
            ({ source, message }) => source === diagnosticSource && message === sentence(diagnostic),
          );
          const fixes = quickFixes(document.getText(), diagnostic).map((fix, index) => {
            const action = new vscode.CodeAction(fix.title, vscode.CodeActionKind.QuickFix);
            action.edit = workspaceEdit(document, fix.edits);
            action.diagnostics = shown;
            action.isPreferred = index === 0 && diagnostic.suggestions[0]?.kind !== 'remove';
            return action;
          });
          return diagnostic.code === 'paper' ? [...fixes, settingOfRemarks(shown)] : fixes;
        });
    },
  };
  return vscode.languages.registerCodeActionsProvider(yamlDocuments, provider, {
    providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
  });
}

function settingOfRemarks(shown: vscode.Diagnostic[]): vscode.CodeAction {
  const title = vscode.l10n.t('Open the setting of remarks that cite the paper');
  const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
  action.command = { title, command: 'workbench.action.openSettings', arguments: ['simdino.lint.paper'] };
  action.diagnostics = shown;
  return action;
}
