import * as vscode from 'vscode';
import { paperSentence, type FieldRow } from '../../configs/fieldCatalogue.ts';
import type { Method } from '../../configs/schema.ts';

/** What the paper writes for a method's key, as a sentence; empty where it writes nothing. */
export function paperText(row: FieldRow, method: Method | undefined): string {
  const paper = paperSentence(row, method);
  return paper === undefined ? '' : vscode.l10n.t('The paper: {0}.', paper);
}
