import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './runCommand.ts';

/** Why this machine has no full disk: the words that a skipped test gives. */
export const noFullDisk =
  'no small disk can be mounted here: that takes root, and a container may forbid it to root too';

/** A disk of its own, small enough to be filled. */
export interface SmallDisk {
  fill: () => void;
  /** Makes room again. */
  empty: () => void;
  unmount: () => Promise<void>;
}

/** Mounts a disk of a quarter of a megabyte, in memory, at `folder`; undefined where this can't be done. */
export async function mountSmallDisk(folder: string): Promise<SmallDisk | undefined> {
  await mkdir(folder, { recursive: true });
  const isMounted = await run('mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder);
  if (!isMounted) return undefined;
  const ballast = join(folder, 'ballast');
  return {
    fill: () => {
      const { bavail, bsize } = statfsSync(folder);
      writeFileSync(ballast, Buffer.alloc(bavail * bsize, 1), { flag: 'a' });
    },
    empty: () => rmSync(ballast, { force: true }),
    unmount: async () => {
      if (!(await run('umount', '--lazy', folder))) throw new Error(`${folder} could not be unmounted`);
    },
  };
}

async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await runCommand(command, args, { cwd: '/', timeoutMs: 10_000 })).exitCode === 0;
  } catch (error) {
    // macOS and Windows have no such command.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
