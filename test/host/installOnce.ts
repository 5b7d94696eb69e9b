import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder } from '../../runtime/data/datasets/cacheFolder.ts';
import { isAlive } from './processGroup.ts';

const marker = '.complete';

/**
 * The folder `name` of the cache, filled by `fill` the first time and reused from then on.
 *
 * Several processes may ask at once: one fills a folder of its own beside the final place, writes the marker last and
 * moves it there; the others wait for it. What a killed process left behind is removed by the next one.
 */
export async function installOnce(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const final = join(cacheFolder(), 'host', name);
  const lock = `${final}.lock`;
  mkdirSync(dirname(final), { recursive: true });
  while (!existsSync(join(final, marker))) {
    if (!takeLock(lock)) {
      await sleep(500);
      continue;
    }
    try {
      if (!existsSync(join(final, marker))) await fillAndMove(final, fill);
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
  return final;
}

async function fillAndMove(final: string, fill: (folder: string) => Promise<void>): Promise<void> {
  removeLeftovers(final);
  const partial = `${final}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    await fill(partial);
    writeFileSync(join(partial, marker), new Date().toISOString());
    renameSync(partial, final);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function removeLeftovers(final: string): void {
  rmSync(final, { recursive: true, force: true });
  const folder = dirname(final);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (path.startsWith(`${final}.partial-`)) rmSync(path, { recursive: true, force: true });
  }
}

/** A folder is the lock, since creating one is atomic everywhere; its owner's pid tells a dead owner from a slow one. */
function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, 'pid'), String(process.pid));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const owner = readOwner(lock);
  if (owner !== null && !isAlive(owner)) rmSync(lock, { recursive: true, force: true });
  return false;
}

function readOwner(lock: string): number | null {
  try {
    const pid = Number(readFileSync(join(lock, 'pid'), 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null; // taken a moment ago, the pid is not written yet
  }
}
