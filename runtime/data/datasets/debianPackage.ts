import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const downloadLimitMs = 10 * 60_000;

/**
 * Downloads a Debian package with apt-get (which verifies the archive's signature) and unpacks it under `temporary`,
 * without root. Gives the folder that stands for `/`. Rejects where there is no apt-get, no network or no such package.
 */
export async function unpackDebianPackage(name: string, temporary: string): Promise<string> {
  const downloads = join(temporary, 'deb');
  await mkdir(downloads);
  try {
    await aptGet(['download', name], downloads);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error('there is no apt-get', { cause: error });
    // Fresh systems have no package lists, and /var/lib/apt takes root: fetch the lists into a state folder of our own.
    const state = await privateState(join(temporary, 'apt'));
    await aptGet([...state, 'update'], downloads);
    await aptGet([...state, 'download', name], downloads);
  }
  const archive = (await readdir(downloads)).find((file) => file.endsWith('.deb'));
  if (archive === undefined) throw new Error(`apt-get downloaded no archive of ${name}`);
  const root = join(temporary, 'root');
  await run('dpkg-deb', ['-x', join(downloads, archive), root], { timeout: downloadLimitMs });
  return root;
}

async function privateState(folder: string): Promise<string[]> {
  const lists = join(folder, 'lists');
  const archives = join(folder, 'archives');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(archives, 'partial'), { recursive: true });
  return ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${folder}`, '-o', `Dir::Cache::archives=${archives}`];
}

async function aptGet(parameters: readonly string[], folder: string): Promise<void> {
  try {
    await run('apt-get', ['-q', '-o', 'Debug::NoLocking=1', ...parameters], { cwd: folder, timeout: downloadLimitMs });
  } catch (error) {
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') throw error;
    const lines = stderr.split('\n').filter((line) => line.startsWith('E:'));
    throw new Error(`apt-get ${parameters.at(-1)}: ${lines.join(' ') || String(error)}`, { cause: error });
  }
}
