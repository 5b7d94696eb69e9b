import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Claims this old are of no use any more: every window has seen by then what they are about. */
const staleMs = 24 * 3600 * 1000;

/**
 * Whether this is the first of the windows that ask for `key`: of two that see the same, one is to tell it. They share `folder`; where
 * it can't be written, each window is the first.
 */
export async function claimOnce(folder: string, key: string, nowMs: number): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true });
    await removeStale(folder, nowMs);
    const file = await open(join(folder, createHash('sha256').update(key).digest('hex')), 'wx');
    await file.close();
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EEXIST';
  }
}

async function removeStale(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    // Another window may have removed it in between.
    const { mtimeMs = nowMs } = (await stat(path).catch(() => undefined)) ?? {};
    if (nowMs - mtimeMs > staleMs) await rm(path, { force: true });
  }
}
