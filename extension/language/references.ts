import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type * as vscode from 'vscode';
import { documentKind } from '../../configs/documentKind.ts';
import type { Reference } from '../../configs/language/completion.ts';

/** Files beside a document that are looked into: a folder of thousands is no folder of configurations. */
const mostFiles = 200;
/** Bytes of a file that are read: what it is, it says at its beginning. */
const headBytes = 65_536;

/** What a document's `extends:` can name besides the first presets: configurations beside it, and the paper's rows. */
export function referencesFrom(document: vscode.TextDocument, presetsFolder: string): Reference[] {
  const paper = yamlNames(join(presetsFolder, 'paper'), true).map((file) => ({
    name: `paper/${file.replaceAll('\\', '/').replace(/\.yaml$/, '')}`,
    detail: 'preset of the paper',
  }));
  if (document.uri.scheme !== 'file') return paper;
  const folder = dirname(document.uri.fsPath);
  const beside = yamlNames(folder, false)
    .slice(0, mostFiles)
    .filter((name) => {
      const path = join(folder, name);
      return path !== document.uri.fsPath && documentKind(path, headOf(path)) === 'config';
    });
  return [...beside.map((name) => ({ name, detail: 'file' })), ...paper];
}

function yamlNames(folder: string, recursive: boolean): string[] {
  // A document may be open whose folder is gone.
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder, { recursive, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name) && statSync(join(folder, name), { throwIfNoEntry: false })?.isFile())
    .sort();
}

/** The beginning of a file; empty where this process may not read it, which then is nothing to offer. */
function headOf(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const head = Buffer.alloc(headBytes);
    return head.toString('utf8', 0, readSync(file, head, 0, headBytes, 0));
  } finally {
    closeSync(file);
  }
}
