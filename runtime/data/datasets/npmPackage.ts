import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';

const run = promisify(execFile);
const downloadLimitMs = 20 * 60_000;

/**
 * Downloads a package with npm (which verifies its integrity, and knows the user's registry and proxy) and gives the
 * path of its uncompressed tar archive under `temporary`. Nothing of it is installed or run. Rejects where there is no
 * npm, no network or no such package.
 */
export async function downloadNpmPackage(name: string, version: string, temporary: string): Promise<string> {
  const downloads = join(temporary, 'npm');
  await mkdir(downloads);
  try {
    // On Windows npm is a batch file, which only a shell starts.
    await run('npm', ['pack', `${name}@${version}`, '--silent', '--ignore-scripts'], {
      cwd: downloads,
      timeout: downloadLimitMs,
      shell: process.platform === 'win32',
    });
  } catch (error) {
    const { code, stderr = '', message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') throw new Error('there is no npm', { cause: error });
    throw new Error(`npm pack ${name}: ${stderr.trim() || message}`, { cause: error });
  }
  const archive = (await readdir(downloads)).find((file) => file.endsWith('.tgz'));
  if (archive === undefined) throw new Error(`npm pack downloaded no archive of ${name}`);
  return gunzip(join(downloads, archive), join(temporary, 'npm.tar'));
}

/** Uncompresses a file, and deletes it. */
export async function gunzip(compressed: string, path: string): Promise<string> {
  await pipeline(createReadStream(compressed), createGunzip(), createWriteStream(path));
  await rm(compressed);
  return path;
}
