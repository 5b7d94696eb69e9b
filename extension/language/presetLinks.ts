import * as vscode from 'vscode';
import { valueAt } from '../../configs/plainValues.ts';
import { placeOf } from '../../configs/yamlDocument.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { yamlDocuments } from './yamlDocuments.ts';
import { rangeAt } from './positions.ts';

/** Makes the value of `extends:` (or a sweep's `base:`) a link to the file that it names. */
export function registerPresetLinks(documents: AnalysedDocuments): vscode.Disposable {
  return vscode.languages.registerDocumentLinkProvider(yamlDocuments, {
    provideDocumentLinks(document) {
      const analysis = documents.of(document);
      if (!analysis) return [];
      const key = analysis.kind === 'sweep' ? 'base' : 'extends';
      const reference = valueAt(analysis.yaml.value, [key]);
      if (typeof reference !== 'string' || reference === '') return [];
      const target = documents.load(reference, analysis.path);
      if (!target) return [];
      const { start, end } = placeOf(analysis.yaml, [key]);
      const link = new vscode.DocumentLink(rangeAt(document, start, end), vscode.Uri.file(target.path));
      link.tooltip = vscode.l10n.t('Open {0}', target.path);
      return [link];
    },
  });
}
