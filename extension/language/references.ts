import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type * as vscode from 'vscode';
import { documentKind } from '../../configs/documentKind.ts';
import type { Reference } from '../../configs/language/completion.ts';

/** Files beside a document that are looked into: a folder of thousands is no folder of configurations. */
const mostFiles = 200;

/** What a document's `extends:` can name besides the first presets: the paper's rows, and configurations beside it. */
export function referencesFrom(document: vscode.TextDocument, presetsFolder: string): Reference[] {
  const paper = yamlNames(join(presetsFolder, 'paper'), true).map((file) => ({
    name: `paper/${file.replaceAll('\\', '/').replace(/\.yaml$/, '')}`,
    detail: 'preset of the paper',
  }));
  if (document.uri.scheme !== 'file') return paper;
  const folder = dirname(document.uri.fsPath);
  const beside = yamlNames(folder, false)
    .slice(0, mostFiles)
    .map((name) => ({ name, path: join(folder, name) }))
    .filter(({ path }) => path !== document.uri.fsPath && documentKind(path, readFileSync(path, 'utf8')) === 'config');
  return [...beside.map(({ name }) => ({ name, detail: 'file' })), ...paper];
}

function yamlNames(folder: string, recursive: boolean): string[] {
  return readdirSync(folder, { recursive, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name))
    .sort();
}
