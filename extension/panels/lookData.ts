import { join } from 'node:path';
import * as vscode from 'vscode';
import { readLooks } from '../../experiments/store/readLooks.ts';
import type { RunCollection } from '../../experiments/store/runCollection.ts';
import { lookFolder } from '../../protocol/lookRecord.ts';
import type { LookedRun } from '../../protocol/panelMessages.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import { runName } from '../run/runText.ts';

/** Where the pictures of runs are: the only files of theirs that a panel may load. */
export function pictureFolders(collection: RunCollection | undefined, runIds: readonly string[]): vscode.Uri[] {
  return runIds.flatMap((id) => {
    const run = collection?.runs.get(id);
    return run ? [vscode.Uri.file(join(run.folder, runFiles.artifacts, lookFolder))] : [];
  });
}

/** The pictures of runs as a panel shows them; of a run that is gone, its name alone. */
export function lookedRuns(
  collection: RunCollection,
  runIds: readonly string[],
  webview: vscode.Webview,
): Promise<LookedRun[]> {
  return Promise.all(
    runIds.map(async (id): Promise<LookedRun> => {
      const run = collection.runs.get(id);
      if (!run) return { id, name: id, looks: [] };
      const looks = await readLooks(run.folder);
      return {
        id,
        name: runName(run),
        looks: looks.map(({ folder, record }) => {
          const shown = ({ kind, file }: { kind: string; file: string }) => ({
            kind,
            uri: webview.asWebviewUri(vscode.Uri.file(join(folder, file))).toString(),
          });
          return {
            step: record.step,
            images: record.images.map(({ name, pictures }) => ({ name, pictures: pictures.map(shown) })),
            sheets: record.sheets.map(shown),
          };
        }),
      };
    }),
  );
}
