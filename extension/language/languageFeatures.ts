import * as vscode from 'vscode';
import { AnalysedDocuments, type LanguageOptions } from './analysedDocuments.ts';
import { registerCodeLenses } from './codeLenses.ts';
import { registerCompletion } from './completion.ts';
import { registerDiagnostics } from './diagnostics.ts';
import { editHyperparameter } from './editHyperparameter.ts';
import { registerHover } from './hover.ts';
import { registerInlayHints } from './inlayHints.ts';
import { registerOutline } from './outline.ts';
import { registerPresetLinks } from './presetLinks.ts';
import { registerQuickFixes } from './quickFixes.ts';
import { ResolvedConfigs } from './resolvedConfigs.ts';

/** Everything that VS Code does with SimDINO's YAML files; made when the first of them is opened. */
export class LanguageFeatures implements vscode.Disposable {
  readonly resolved: ResolvedConfigs;
  private readonly documents: AnalysedDocuments;
  private readonly registrations: vscode.Disposable;

  constructor(options: LanguageOptions) {
    this.documents = new AnalysedDocuments(options);
    this.resolved = new ResolvedConfigs(this.documents);
    this.registrations = vscode.Disposable.from(
      this.documents,
      registerDiagnostics(this.documents),
      registerCompletion(this.documents),
      registerHover(this.documents),
      registerInlayHints(this.documents),
      registerQuickFixes(this.documents),
      registerCodeLenses(this.documents),
      registerOutline(this.documents),
      registerPresetLinks(this.documents),
    );
  }

  editHyperparameter(argument: unknown, key: unknown): Promise<void> {
    return editHyperparameter(this.documents, argument, key);
  }

  dispose(): void {
    this.registrations.dispose();
  }
}
