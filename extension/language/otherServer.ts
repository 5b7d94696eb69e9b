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
    hasSchema: hasForeignSchema(pathOf(document), document.getText()) || mapsOurSchema(settings),
  });
}

/** Whether a person has given the other extension one of our schemas, for whichever files. */
function mapsOurSchema(settings: vscode.WorkspaceConfiguration): boolean {
  return Object.keys(settings.get<Record<string, unknown>>('schemas', {})).some((address) => /simdino/i.test(address));
}
