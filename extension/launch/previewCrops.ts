import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { pickConfig } from './pickConfig.ts';
import type { StartContext } from './startRun.ts';

const imagesOnSheet = 4;

/** One panel per configuration, by its path. */
const panels = new Map<string, CropsPanel>();

/** "Preview crops": the first images of training, cut as the configuration says, in a panel that goes on to the next ones. */
export async function previewCrops(start: StartContext, argument: unknown): Promise<void> {
  const { context, launcher } = start;
  if (launcher.requireRunsFolder() === undefined) return;
  const path =
    argument instanceof vscode.Uri
      ? argument.fsPath
      : (await pickConfig(context, 'config', launcher.presetsFolder, vscode.l10n.t('Preview crops')))?.path;
  if (path === undefined) return;
  const known = panels.get(path);
  if (known) await known.show();
  else await new CropsPanel(start, path).show();
}

class CropsPanel {
  #panel: vscode.WebviewPanel | undefined;
  #skip = 0;
  #busy = false;

  constructor(
    private readonly start: StartContext,
    private readonly configPath: string,
  ) {}

  /** Renders the images from the current place on, and shows them. */
  async show(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const sheet = await this.#render();
      if (sheet !== undefined) this.#display(sheet);
    } finally {
      this.#busy = false;
    }
  }

  async #render(): Promise<vscode.Uri | undefined> {
    const { workspace } = vscode;
    // What is shown is what a run would read: the file on disk.
    await workspace.textDocuments.find(({ uri, isDirty }) => isDirty && uri.fsPath === this.configPath)?.save();
    const folder = this.#folder();
    await mkdir(folder.fsPath, { recursive: true });
    const name = createHash('sha256').update(this.configPath).digest('hex').slice(0, 16);
    const sheet = vscode.Uri.joinPath(folder, `${name}.png`);
    const title = vscode.l10n.t('Cutting crops of {0}', basename(this.configPath));
    const where = ['--skip', String(this.#skip), '--images', String(imagesOnSheet), '--output', sheet.fsPath];
    const isDone = await this.start.launcher.runToEnd(title, ['preview', this.configPath, ...where], 'preview');
    return isDone ? sheet : undefined;
  }

  #display(sheet: vscode.Uri): void {
    const panel = (this.#panel ??= this.#open());
    // A changed address, since the picture behind the same one would be taken from memory.
    const picture = panel.webview.asWebviewUri(sheet).with({ query: randomBytes(6).toString('hex') });
    panel.webview.html = page(panel.webview.cspSource, picture.toString(), this.#skip + 1);
    panel.reveal(undefined, true);
  }

  #open(): vscode.WebviewPanel {
    const panel = vscode.window.createWebviewPanel(
      'simdino.crops',
      vscode.l10n.t('Crops: {0}', basename(this.configPath)),
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, localResourceRoots: [this.#folder()] },
    );
    panels.set(this.configPath, this);
    panel.webview.onDidReceiveMessage((message: unknown) => {
      if (this.#busy || (message !== 'next' && message !== 'again' && message !== 'first')) return;
      if (message !== 'again') this.#skip = message === 'next' ? this.#skip + imagesOnSheet : 0;
      void this.show();
    });
    panel.onDidDispose(() => panels.delete(this.configPath));
    return panel;
  }

  #folder(): vscode.Uri {
    const { storageUri, globalStorageUri } = this.start.context;
    return vscode.Uri.file(join((storageUri ?? globalStorageUri).fsPath, 'crops'));
  }
}

/** The sheet, and buttons for other images. Its policy runs one script and shows pictures of the storage folder alone. */
function page(cspSource: string, picture: string, firstImage: number): string {
  const nonce = randomBytes(18).toString('base64url');
  const policy = `default-src 'none'; img-src ${cspSource}; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
  const describe = vscode.l10n.t(
    'Images {0} to {1} of the first epoch and their crops',
    firstImage,
    firstImage + imagesOnSheet - 1,
  );
  const buttons = {
    next: vscode.l10n.t('Next images'),
    first: vscode.l10n.t('First images'),
    again: vscode.l10n.t('Refresh'),
  };
  const html = Object.entries(buttons).map(([id, label]) => `<button id="${id}">${escapeHtml(label)}</button>`);
  return `<!doctype html>
<html lang="${escapeHtml(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<style nonce="${nonce}">
  body { padding: 12px; }
  nav { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-bottom: 12px; }
  button { padding: 4px 10px; white-space: nowrap; border: 1px solid var(--vscode-contrastBorder, transparent); border-radius: 2px; cursor: pointer;
    color: var(--vscode-button-secondaryForeground); background: var(--vscode-button-secondaryBackground); font: inherit; }
  button:hover { background: var(--vscode-button-secondaryHoverBackground); }
  button:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
  button#next { color: var(--vscode-button-foreground); background: var(--vscode-button-background); }
  img { max-width: 100%; background: #fff; }
</style>
</head>
<body>
<nav>${html.join('')}<span>${escapeHtml(describe)}</span></nav>
<img src="${escapeHtml(picture)}" alt="${escapeHtml(describe)}">
<script nonce="${nonce}">
  const editor = acquireVsCodeApi();
  for (const button of document.querySelectorAll('button')) button.onclick = () => editor.postMessage(button.id);
</script>
</body>
</html>`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (sign) => entities[sign] as string);
}
