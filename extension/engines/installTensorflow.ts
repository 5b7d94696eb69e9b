import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errors } from '../../protocol/errors.ts';
import { cleanEnvironment } from '../launch/runtimeNode.ts';

/** The package, and the version that goes with the runtime's own copy of tfjs-core. */
export const cudaPackage = { name: '@tensorflow/tfjs-node-gpu', version: '4.22.0' } as const;

export interface InstallOptions {
  /** Where it is to be; replaced as a whole once everything has worked. */
  folder: string;
  /** npm's executable. */
  npm?: string;
  onLine: (line: string) => void;
  signal: AbortSignal;
}

/** The folder for SIMDINO_TENSORFLOW, if an engine was installed there. */
export function installedTensorflow(folder: string): string | undefined {
  return existsSync(join(folder, 'node_modules', ...cudaPackage.name.split('/'), 'package.json')) ? folder : undefined;
}

/**
 * Installs tfjs-node-gpu by npm into a folder of its own, never into a project. Its install script fetches TensorFlow, some 400 MB.
 *
 * @throws engineInstallFailed with npm's last words; what was there before stays as it was
 */
export async function installTensorflow({ folder, npm = 'npm', onLine, signal }: InstallOptions): Promise<void> {
  const aside = `${folder}.new`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true });
  try {
    const { name, version } = cudaPackage;
    // Newer npm runs install scripts of packages that are named here alone.
    const manifest = { private: true, dependencies: { [name]: version }, allowScripts: { [name]: true } };
    await writeFile(join(aside, 'package.json'), JSON.stringify(manifest, null, 2));
    await runNpm(npm, ['install', '--no-audit', '--no-fund', '--foreground-scripts'], aside, { onLine, signal });
    await rm(folder, { recursive: true, force: true });
    await rename(aside, folder);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function runNpm(
  npm: string,
  args: readonly string[],
  cwd: string,
  { onLine, signal }: Pick<InstallOptions, 'onLine' | 'signal'>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(npm, args, {
      cwd,
      env: cleanEnvironment(process.env),
      signal,
      windowsHide: true,
      shell: process.platform === 'win32',
    });
    const lines: string[] = [];
    const hear = (text: string): void => {
      for (const line of text.split('\n').filter((part) => part.trim() !== '')) {
        lines.push(line.trim());
        onLine(line.trim());
      }
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    const fail = (detail: string): void => reject(errors.engineInstallFailed(cudaPackage.name, detail));
    child.once('error', (error) => fail(signal.aborted ? 'it was cancelled' : error.message));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        fail(
          lines
            .filter((line) => !line.startsWith('npm warn'))
            .slice(-3)
            .join(' | ') || `npm ended with ${code}`,
        );
    });
  });
}
