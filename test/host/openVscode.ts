import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cacheFolder } from '../../runtime/data/datasets/cacheFolder.ts';
import { onPath } from './chromium.ts';
import { CodeServer } from './codeServer.ts';
import { packagedVsix } from './packagedVsix.ts';
import { mustRun, runCommand } from './runCommand.ts';

/**
 * Opens `folder` in VS Code with this extension: the desktop's where `code` is on the PATH and works, else VS Code in the
 * browser, which serves until Ctrl-C.
 */
export async function openVscode(folder: string): Promise<void> {
  const workspace = resolve(folder);
  if (!existsSync(workspace) || !statSync(workspace).isDirectory())
    throw new Error(`There is no folder at ${workspace}.`);
  console.log('Packaging the extension ...');
  const vsix = await packagedVsix();
  const code = await desktopCommand();
  if (code !== undefined) {
    await mustRun(code, ['--install-extension', vsix, '--force'], { cwd: workspace, timeoutMs: 180_000 });
    await mustRun(code, [workspace], { cwd: workspace, timeoutMs: 60_000 });
    console.log(`Opened ${workspace} in the desktop VS Code.`);
    return;
  }
  const stateFolder = join(cacheFolder(), 'browser-vscode');
  const server = await CodeServer.start({ workspace, stateFolder, extensions: [vsix], log: console.log });
  console.log(
    `\nVS Code in the browser: ${server.url}\nThe SimDINO icon on the left shows the runs. Ctrl-C stops the editor; runs go on.`,
  );
  await server.exited;
}

/** `code`, when it is a desktop VS Code of this machine that answers. */
async function desktopCommand(): Promise<string | undefined> {
  const code = onPath(process.platform === 'win32' ? 'code.cmd' : 'code');
  if (code === undefined) return undefined;
  const { exitCode } = await runCommand(code, ['--version'], { cwd: process.cwd(), timeoutMs: 20_000 });
  return exitCode === 0 ? code : undefined;
}
