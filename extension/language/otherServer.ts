import { isAbsolute } from 'node:path';
import * as vscode from 'vscode';
import { hasForeignSchema } from '../../configs/documentKind.ts';
import { ourDuties, type Duties } from '../../configs/language/duties.ts';
import { pathOf } from './yamlDocuments.ts';

const otherExtension = 'redhat.vscode-yaml';

/** What is left for us to do in a document when another extension serves YAML too. */
export function dutiesIn(document: vscode.TextDocument): Duties {
  if (!vscode.extensions.getExtension(otherExtension)) return ourDuties(undefined);
  const settings = vscode.workspace.getConfiguration('yaml', document);
  return ourDuties({
    validate: settings.get<boolean>('validate', true),
    completion: settings.get<boolean>('completion', true),
    hover: settings.get<boolean>('hover', true),
    hasSchema: hasForeignSchema(pathOf(document), document.getText()) || mapsOurSchema(settings, document),
  });
}

/** Whether a person has given the other extension one of our schemas for this document. */
function mapsOurSchema(settings: vscode.WorkspaceConfiguration, document: vscode.TextDocument): boolean {
  const schemas = settings.get<Record<string, string | string[]>>('schemas', {});
  return Object.entries(schemas).some(
    ([address, globs]) => /simdino/i.test(address) && [globs].flat().some((glob) => matches(document, glob)),
  );
}

/** The other extension's patterns hold anywhere in the tree unless they are absolute. */
function matches(document: vscode.TextDocument, glob: string): boolean {
  const pattern = isAbsolute(glob) ? glob : `**/${glob.replace(/^\.?\//, '')}`;
  return vscode.languages.match({ pattern }, document) > 0;
}
