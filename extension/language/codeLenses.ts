import * as vscode from 'vscode';
import type { Analysis } from '../../configs/language/analyse.ts';
import { valueAt } from '../../configs/plainValues.ts';
import { entriesOf } from '../../configs/yamlDocument.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { yamlDocuments } from './yamlDocuments.ts';

interface Lens {
  command: string;
  title: string;
}

/** Above the first key: what can be done with the file. A command that nobody has registered is not shown. */
export function registerCodeLenses(documents: AnalysedDocuments): vscode.Disposable {
  const provider: vscode.CodeLensProvider = {
    async provideCodeLenses(document) {
      const analysis = documents.of(document);
      // A run starts from a file on disk.
      if (!analysis || document.uri.scheme !== 'file') return [];
      const available = new Set(await vscode.commands.getCommands(true));
      const first = entriesOf(analysis.yaml.document.contents)[0]?.key.range?.[0] ?? 0;
      const position = document.positionAt(first);
      return lensesFor(analysis)
        .filter(({ command }) => available.has(command))
        .map(
          ({ command, title }) =>
            new vscode.CodeLens(new vscode.Range(position, position), { command, title, arguments: [document.uri] }),
        );
    },
  };
  return vscode.languages.registerCodeLensProvider(yamlDocuments, provider);
}

function lensesFor(analysis: Analysis): Lens[] {
  if (analysis.kind === 'sweep')
    return [{ command: 'simdino.startSweep', title: vscode.l10n.t('Start ablation grid') }];
  const extended: unknown = valueAt(analysis.yaml.value, ['extends']);
  return [
    { command: 'simdino.startRun', title: vscode.l10n.t('Start SimDINO run') },
    { command: 'simdino.queueRun', title: vscode.l10n.t('Queue') },
    { command: 'simdino.compareWithLast', title: vscode.l10n.t('Compare with last') },
    { command: 'simdino.previewCrops', title: vscode.l10n.t('Preview crops') },
    { command: 'simdino.editHyperparameter', title: vscode.l10n.t('Edit hyperparameter') },
    { command: 'simdino.showResolvedConfig', title: vscode.l10n.t('Show resolved') },
    ...(typeof extended === 'string' && analysis.read.base !== undefined
      ? [{ command: 'simdino.compareWithExtended', title: vscode.l10n.t('Compare with {0}', extended) }]
      : []),
  ];
}
