import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import type { DocumentKind } from '../../configs/documentKind.ts';
import { kindOfYaml } from './configFiles.ts';

export interface ConfigChoice {
  path: string;
  /** Whether values are to be changed before the start. */
  change: boolean;
}

const lastChoiceKey = (kind: DocumentKind): string => `simdino.last.${kind}`;
const mostFiles = 500;
const passedOver = '**/{node_modules,.git,dist,runs,.venv,site-packages}/**';

/** Lets a person choose among the workspace's configurations (or sweeps) and the presets; the file in front and the last choice come first. */
export async function pickConfig(
  context: vscode.ExtensionContext,
  kind: DocumentKind,
  presetsFolder: string,
  title: string,
): Promise<ConfigChoice | undefined> {
  const gear: vscode.QuickInputButton = {
    iconPath: new vscode.ThemeIcon('settings'),
    tooltip: vscode.l10n.t('Change values before starting'),
  };
  const picker = vscode.window.createQuickPick<ConfigItem>();
  picker.title = title;
  picker.placeholder = kind === 'config' ? vscode.l10n.t('Configuration') : vscode.l10n.t('Sweep file');
  picker.matchOnDescription = true;
  picker.busy = true;
  const chosen = new Promise<ConfigChoice | undefined>((resolve) => {
    const choose = (item: ConfigItem | undefined, change: boolean): void => {
      if (item?.opens) show(item.opens);
      const path = item?.path;
      if (path === undefined) return;
      void context.workspaceState.update(lastChoiceKey(kind), path);
      resolve({ path, change });
      picker.hide();
    };
    picker.onDidAccept(() => choose(picker.selectedItems[0], false));
    picker.onDidTriggerItemButton(({ item }) => choose(item, true));
    picker.onDidHide(() => {
      resolve(undefined);
      picker.dispose();
    });
  });
  const buttons = kind === 'config' ? [gear] : [];
  const show = (items: ConfigItem[]): void => {
    picker.items = items.map((item) => (item.path === undefined ? item : { ...item, buttons }));
  };
  const showAll = (workspace: string[]): void => {
    const last = context.workspaceState.get<string>(lastChoiceKey(kind));
    show(
      itemsOf(
        workspace,
        presetPaths(kind, presetsFolder),
        kind === 'config' ? paperPaths(presetsFolder) : [],
        last,
        vscode.window.activeTextEditor?.document.uri.fsPath,
      ),
    );
  };
  // All at once: a list that grows while somebody reaches for a row puts another row under the pointer.
  picker.show();
  showAll(await workspacePaths(kind));
  picker.busy = false;
  return chosen;
}

/** Choosing an item starts its `path`, or shows the items that it `opens`. */
type ConfigItem = vscode.QuickPickItem & { path?: string; opens?: ConfigItem[] };

function itemsOf(
  workspace: string[],
  presets: string[],
  paper: string[],
  last: string | undefined,
  inFront: string | undefined,
): ConfigItem[] {
  const items: ConfigItem[] = [];
  const section = (label: string, paths: string[], describe: (path: string) => string): void => {
    if (paths.length === 0) return;
    items.push({ label, kind: vscode.QuickPickItemKind.Separator });
    for (const path of paths) {
      const detail = firstComment(path);
      items.push({
        label: basename(path),
        description: describe(path),
        path,
        ...(detail === undefined ? {} : { detail }),
      });
    }
  };
  const relative = (path: string): string => vscode.workspace.asRelativePath(path);
  const frontPath = workspace.filter((path) => path === inFront);
  const lastPath = last !== undefined && last !== frontPath[0] && existsSync(last) ? [last] : [];
  const others = (paths: string[]): string[] => paths.filter((path) => ![frontPath[0], lastPath[0]].includes(path));
  section(vscode.l10n.t('open in front'), frontPath, relative);
  section(vscode.l10n.t('last choice'), lastPath, (path) =>
    presets.includes(path) ? vscode.l10n.t('preset') : relative(path),
  );
  section(vscode.l10n.t('in this workspace'), others(workspace), relative);
  section(vscode.l10n.t('presets'), others(presets), () => vscode.l10n.t('preset'));
  if (paper.length > 0) {
    items.push({
      label: vscode.l10n.t('$(book) Tables and figures of the paper...'),
      description: vscode.l10n.t('{0} presets', paper.length),
      opens: paper.map((path) => ({
        label: paperName(path),
        path,
        ...(firstComment(path) === undefined ? {} : { detail: firstComment(path)! }),
      })),
    });
  }
  return items;
}

/** `table6/momentum_09` */
function paperName(path: string): string {
  return `${basename(dirname(path))}/${basename(path, '.yaml')}`;
}

/** The presets of the rows of the paper's tables and figures, in their order. */
function paperPaths(presetsFolder: string): string[] {
  const folder = join(presetsFolder, 'paper');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name))
    .sort((a, b) => Number(a.includes('figure')) - Number(b.includes('figure')) || a.localeCompare(b));
}

async function workspacePaths(kind: DocumentKind): Promise<string[]> {
  const uris = await vscode.workspace.findFiles('**/*.{yaml,yml}', passedOver, mostFiles);
  const paths = uris.filter(({ scheme }) => scheme === 'file').map(({ fsPath }) => fsPath);
  const kinds = await Promise.all(paths.map((path) => kindOfYaml(path).catch(() => undefined)));
  const depth = (path: string): number => path.split(/[\\/]/).length;
  return paths.filter((_, i) => kinds[i] === kind).sort((a, b) => depth(a) - depth(b) || a.localeCompare(b));
}

function presetPaths(kind: DocumentKind, presetsFolder: string): string[] {
  const folder = kind === 'config' ? presetsFolder : join(presetsFolder, 'sweeps');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(folder, name));
}

/** A file's first line when it is a comment: what the file is about. */
function firstComment(path: string): string | undefined {
  const [line = ''] = readFileSync(path, 'utf8').split('\n', 1);
  return line.startsWith('#') ? line.replace(/^#+\s*/, '').slice(0, 160) : undefined;
}
