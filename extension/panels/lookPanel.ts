import { join } from 'node:path';
import * as vscode from 'vscode';
import { readLooks } from '../../experiments/store/readLooks.ts';
import { isFromLookPanel, type LookedRun, type ToLookPanel } from '../../protocol/lookMessages.ts';
import { lookFolder } from '../../protocol/lookRecord.ts';
import { runFiles } from '../../protocol/runFolder.ts';
import type { StartContext } from '../launch/startRun.ts';
import { inBackground, log } from '../log.ts';
import { pickRuns, type RunArgument } from '../run/pickRun.ts';
import { runName } from '../run/runText.ts';
import type { RunNode } from '../run/runTree.ts';
import { panelPage } from './panelPage.ts';
import { folderOfRun } from './panelSession.ts';

/** "What did it learn": the pictures of one run or several side by side, with a slider over their steps. */
export async function openLook(
  start: StartContext,
  argument: RunArgument,
  selection?: readonly RunNode[],
): Promise<void> {
  const given = typeof argument === 'string' ? argument : argument?.kind === 'run' ? argument.id : undefined;
  const single = given !== undefined && (selection?.length ?? 0) < 2 ? start.watch.run(given) : undefined;
  const runs = single
    ? [single]
    : await pickRuns(start.watch, argument, selection, { title: vscode.l10n.t('What did it learn?') });
  if (!runs || runs.length === 0) return;
  new LookPanel(
    start,
    runs.map(({ id }) => id),
  );
}

class LookPanel {
  readonly #panel: vscode.WebviewPanel;
  #busy = false;

  constructor(
    private readonly start: StartContext,
    private readonly runIds: readonly string[],
  ) {
    const { context, watch } = start;
    const folder = vscode.Uri.joinPath(context.extensionUri, 'dist', 'webview');
    const names = runIds.map((id) => watch.run(id)).flatMap((run) => (run ? [runName(run)] : []));
    this.#panel = vscode.window.createWebviewPanel(
      'simdino.look',
      vscode.l10n.t('Learned: {0}', names.join(', ')),
      { viewColumn: vscode.ViewColumn.Active, preserveFocus: true },
      {
        enableScripts: true,
        localResourceRoots: [folder, ...runIds.flatMap((id) => this.#picturesOf(id))],
      },
    );
    const { webview } = this.#panel;
    webview.onDidReceiveMessage((message: unknown) => {
      if (!isFromLookPanel(message)) log().warn('look panel: refused a message');
      else if (message.type === 'ready') inBackground('look panel', this.#send());
      else if (runIds.includes(message.runId)) inBackground('look panel', this.#look(message.runId));
    });
    webview.html = panelPage({
      script: webview.asWebviewUri(vscode.Uri.joinPath(folder, 'look.js')).toString(),
      style: webview.asWebviewUri(vscode.Uri.joinPath(folder, 'look.css')).toString(),
      cspSource: webview.cspSource,
      title: this.#panel.title,
      language: vscode.env.language,
      words: vscode.l10n.bundle ?? {},
    });
  }

  #picturesOf(id: string): vscode.Uri[] {
    const folder = folderOfRun(this.start.watch, id);
    return folder === undefined ? [] : [vscode.Uri.file(join(folder, runFiles.artifacts, lookFolder))];
  }

  /** Has the runtime look at every checkpoint, which may take minutes. */
  async #look(runId: string): Promise<void> {
    const { launcher, watch } = this.start;
    const runsFolder = watch.collection?.folder;
    if (this.#busy || runsFolder === undefined) return;
    this.#busy = true;
    await this.#send();
    try {
      const title = vscode.l10n.t('Looking at what {0} learned', runId);
      await launcher.runToEnd(
        title,
        ['look', runId, '--steps', 'all', '--untrained', '--runs-dir', runsFolder],
        'look',
      );
    } finally {
      this.#busy = false;
      await this.#send();
    }
  }

  async #send(): Promise<void> {
    const { watch } = this.start;
    if (!watch.ready) await watch.refresh();
    const { webview } = this.#panel;
    const runs = await Promise.all(
      this.runIds.map(async (id): Promise<LookedRun> => {
        const folder = folderOfRun(watch, id);
        const run = watch.run(id);
        const looks = folder === undefined ? [] : await readLooks(folder);
        return {
          id,
          name: run ? runName(run) : id,
          looks: looks.map(({ folder: lookedAt, record }) => {
            const shown = ({ kind, file }: { kind: string; file: string }) => ({
              kind,
              uri: webview.asWebviewUri(vscode.Uri.file(join(lookedAt, file))).toString(),
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
    const message: ToLookPanel = { type: 'look/snapshot', runs, busy: this.#busy };
    await webview.postMessage(message);
  }
}
