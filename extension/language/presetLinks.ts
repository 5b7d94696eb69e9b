import * as vscode from 'vscode';
import { valueAt } from '../../configs/plainValues.ts';
import { placeOf } from '../../configs/yamlDocument.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { yamlDocuments } from './yamlDocuments.ts';
import { rangeAt } from './positions.ts';

/** The value of `extends:` (or a sweep's `base:`) as a link to the file that it names, and as what "Go to Definition" opens. */
export function registerPresetLinks(documents: AnalysedDocuments): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.languages.registerDocumentLinkProvider(yamlDocuments, {
      provideDocumentLinks(document) {
        const reference = referenceIn(documents, document);
        if (!reference) return [];
        const link = new vscode.DocumentLink(reference.range, reference.target);
        link.tooltip = vscode.l10n.t('Open {0}', reference.target.fsPath);
        return [link];
      },
    }),
    vscode.languages.registerDefinitionProvider(yamlDocuments, {
      provideDefinition(document, position) {
        const reference = referenceIn(documents, document);
        if (!reference?.range.contains(position)) return undefined;
        return new vscode.Location(reference.target, new vscode.Position(0, 0));
      },
    }),
  );
}

function referenceIn(
  documents: AnalysedDocuments,
  document: vscode.TextDocument,
): { range: vscode.Range; target: vscode.Uri } | undefined {
  const analysis = documents.of(document);
  if (!analysis) return undefined;
  const key = analysis.kind === 'sweep' ? 'base' : 'extends';
  const reference = valueAt(analysis.yaml.value, [key]);
  if (typeof reference !== 'string' || reference === '') return undefined;
  const target = documents.load(reference, analysis.path);
  if (!target) return undefined;
  const { start, end } = placeOf(analysis.yaml, [key]);
  return { range: rangeAt(document, start, end), target: vscode.Uri.file(target.path) };
}
