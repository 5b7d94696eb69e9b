import type * as vscode from 'vscode';
import type { ResolvedConfig } from '../../configs/schema.ts';
import { AnalysedDocuments } from './analysedDocuments.ts';
import { registerCodeLenses } from './codeLenses.ts';
import { registerCompletion } from './completion.ts';
import { registerDiagnostics } from './diagnostics.ts';
import { registerEditHyperparameter } from './editHyperparameter.ts';
import { registerHover } from './hover.ts';
import { registerInlayHints } from './inlayHints.ts';
import { registerPresetLinks } from './presetLinks.ts';
import { registerQuickFixes } from './quickFixes.ts';
import { registerResolvedConfig } from './resolvedConfig.ts';

export interface LanguageOptions {
  /** Folder of the presets that ship with the extension. */
  presetsFolder: string;
  /** Images of the training set that a configuration names, where an earlier run has counted them. */
  trainImages?: (config: ResolvedConfig, path: string) => number | undefined;
}

/** Everything that VS Code does with SimDINO's YAML files. */
export function registerLanguageFeatures(context: vscode.ExtensionContext, options: LanguageOptions): void {
  const documents = new AnalysedDocuments(options);
  context.subscriptions.push(
    documents,
    registerDiagnostics(documents),
    registerCompletion(documents),
    registerHover(documents),
    registerInlayHints(documents),
    registerQuickFixes(documents),
    registerCodeLenses(documents),
    registerPresetLinks(documents),
    registerEditHyperparameter(documents),
    registerResolvedConfig(documents),
  );
}
