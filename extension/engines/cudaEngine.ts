import { execFile } from 'node:child_process';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { errors } from '../../protocol/errors.ts';
import { cleanEnvironment, resolveRuntimeNode } from '../launch/runtimeNode.ts';
import { log } from '../log.ts';
import { configuredNodePath } from '../settings.ts';
import { cudaPackage, installedTensorflow, installTensorflow } from './installTensorflow.ts';

const folderOf = (context: vscode.ExtensionContext): string => join(context.globalStorageUri.fsPath, 'tensorflow');

/** Runs that are started from here find an engine that was installed earlier. */
export function announceCudaEngine(context: vscode.ExtensionContext): void {
  const folder = installedTensorflow(folderOf(context));
  if (folder) process.env['SIMDINO_TENSORFLOW'] ??= folder;
}

/** "SimDINO: Install CUDA engine": asks, installs into the extension's storage, tries it, and says what came of it. */
export async function installCudaEngine(context: vscode.ExtensionContext): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw errors.engineUnavailable('tensorflow', `${cudaPackage.name} reaches GPUs on Linux x64 alone`, [
      'auto',
      'dawn',
    ]);
  const install = vscode.l10n.t('Install');
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t('Install the CUDA engine?'),
    {
      modal: true,
      detail: vscode.l10n.t(
        '{0} {1} and TensorFlow (about 400 MB) are fetched into the extension\u2019s storage. It needs an NVIDIA GPU with CUDA 11.2 and cuDNN 8.1. Runs use it with `runtime.engine: tensorflow`, or when `auto` finds it fastest.',
        cudaPackage.name,
        cudaPackage.version,
      ),
    },
    install,
  );
  if (answer !== install) return;

  const folder = folderOf(context);
  const verdict = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Installing the CUDA engine'),
      cancellable: true,
    },
    async (progress, cancelled) => {
      const aborter = new AbortController();
      cancelled.onCancellationRequested(() => aborter.abort());
      await installTensorflow({
        folder,
        signal: aborter.signal,
        onLine: (line) => {
          log().info(line);
          progress.report({ message: line.slice(0, 80) });
        },
      });
      process.env['SIMDINO_TENSORFLOW'] = folder;
      progress.report({ message: vscode.l10n.t('trying it') });
      return tried(context.extensionPath);
    },
  );
  const message = vscode.l10n.t('CUDA engine: {0}', verdict);
  log().info(message);
  void vscode.window.showInformationMessage(message);
}

interface DevicesAnswer {
  engines: { engine: string; device: string; verdict: string; reason: string }[];
}

/** What `simdino devices` thinks of it now. */
async function tried(extensionPath: string): Promise<string> {
  const node = await resolveRuntimeNode({
    configured: configuredNodePath(),
    editor: { path: process.execPath, version: process.version },
  });
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      node.path,
      [join(extensionPath, 'dist', 'simdino.mjs'), 'devices', '--json'],
      { env: { ...cleanEnvironment(process.env), ...node.environment }, timeout: 300_000, windowsHide: true },
      (error, stdout) => (error && stdout === '' ? reject(new Error(error.message)) : resolve(stdout)),
    );
  });
  const { engines } = JSON.parse(output) as DevicesAnswer;
  const found = engines.find(({ engine }) => engine === 'tensorflow');
  if (!found) throw new Error('internal: `simdino devices` does not know the engine tensorflow.');
  return [`${found.verdict} (${found.device})`, found.reason].filter(Boolean).join(': ');
}
