import * as vscode from 'vscode';

/** YAML documents that a person edits, not the old sides of diffs; which of them are ours, their text decides. */
export const yamlDocuments: vscode.DocumentSelector = [
  { language: 'yaml', scheme: 'file' },
  { language: 'yaml', scheme: 'untitled' },
];

/** Scheme of the read-only texts that show a configuration with every value in force. */
export const resolvedScheme = 'simdino-resolved';

export function isYaml(document: vscode.TextDocument): boolean {
  return vscode.languages.match(yamlDocuments, document) > 0;
}

/** The file system's path, or for a text without a file a name that says what it is. */
export function pathOf(document: vscode.TextDocument): string {
  if (document.uri.scheme === 'file') return document.uri.fsPath;
  return /\.ya?ml$/.test(document.uri.path) ? document.uri.path : `${document.uri.path}.yaml`;
}
