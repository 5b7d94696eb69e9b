import * as vscode from 'vscode';
import { sentence, type Diagnostic, type Severity } from '../../configs/diagnostic.ts';
import type { AnalysedDocuments } from './analysedDocuments.ts';
import { isYaml } from './yamlDocuments.ts';
import { dutiesIn } from './otherServer.ts';
import { rangeAt } from './positions.ts';

export const diagnosticSource = 'SimDINO';
/** Long enough to finish a word, short enough to feel immediate. */
const debounceMs = 150;

const severities: Record<Severity, vscode.DiagnosticSeverity> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
};

/** Keeps the Problems of every open SimDINO document in step with its text. */
export function registerDiagnostics(documents: AnalysedDocuments): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('simdino');
  const timers = new Map<string, NodeJS.Timeout>();

  const cancel = (uri: vscode.Uri): void => {
    clearTimeout(timers.get(uri.toString()));
    timers.delete(uri.toString());
  };
  const publish = (document: vscode.TextDocument): void => {
    cancel(document.uri);
    if (document.isClosed || !isYaml(document)) return;
    collection.set(document.uri, diagnosticsOf(documents, document));
  };
  const publishSoon = (document: vscode.TextDocument): void => {
    if (!isYaml(document)) return;
    cancel(document.uri);
    timers.set(
      document.uri.toString(),
      setTimeout(() => publish(document), debounceMs),
    );
  };
  const publishAll = (): void => vscode.workspace.textDocuments.forEach(publish);

  publishAll();
  return vscode.Disposable.from(
    collection,
    vscode.workspace.onDidOpenTextDocument(publish),
    vscode.workspace.onDidChangeTextDocument(({ document }) => publishSoon(document)),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      cancel(uri);
      collection.delete(uri);
    }),
    documents.onDidBecomeStale(publishAll),
    vscode.extensions.onDidChange(publishAll),
    { dispose: () => timers.forEach((timer) => clearTimeout(timer)) },
  );
}

function diagnosticsOf(documents: AnalysedDocuments, document: vscode.TextDocument): vscode.Diagnostic[] {
  const analysis = documents.of(document);
  if (!analysis) return [];
  const duties = dutiesIn(document);
  return analysis.diagnostics
    .filter(({ code }) => duties.diagnostics(code))
    .map((diagnostic) => asVscode(document, diagnostic));
}

function asVscode(document: vscode.TextDocument, diagnostic: Diagnostic): vscode.Diagnostic {
  const range = rangeAt(document, diagnostic.start, diagnostic.end);
  const shown = new vscode.Diagnostic(range, sentence(diagnostic), severities[diagnostic.severity]);
  shown.source = diagnosticSource;
  shown.code = diagnostic.code;
  if (diagnostic.code === 'ignored') shown.tags = [vscode.DiagnosticTag.Unnecessary];
  shown.relatedInformation = (diagnostic.others ?? []).map(({ start, end, path }) => {
    const place = new vscode.Location(document.uri, rangeAt(document, start, end));
    return new vscode.DiagnosticRelatedInformation(place, vscode.l10n.t('{0} stands here', path));
  });
  return shown;
}
