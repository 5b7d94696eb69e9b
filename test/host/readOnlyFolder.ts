import { runCommand } from './runCommand.ts';

/** Why this machine has no read-only folder: the words that a skipped test gives. */
export const noReadOnlyFolder = 'root writes into every folder here, since it may mount nothing';

/**
 * Makes a folder read-only for everybody, as that of a disk is which was mounted so: for root, whom no permission stops, by mounting it.
 * Returns what makes it writable again; undefined where this can't be done.
 */
export async function makeReadOnly(folder: string): Promise<(() => Promise<void>) | undefined> {
  if (process.getuid?.() !== 0) {
    await must(folder, 'chmod', '-R', 'a-w', folder);
    return () => must(folder, 'chmod', '-R', 'u+w', folder);
  }
  if (!(await succeeds('mount', '--bind', folder, folder))) return undefined;
  // Somebody may be reading in it at this moment.
  const undo = () => must(folder, 'umount', '--lazy', folder);
  if (await succeeds('mount', '-o', 'remount,bind,ro', folder)) return undo;
  await undo();
  return undefined;
}

async function must(folder: string, command: string, ...args: string[]): Promise<void> {
  if (!(await succeeds(command, ...args))) throw new Error(`${command} of ${folder} failed`);
}

async function succeeds(command: string, ...args: string[]): Promise<boolean> {
  return (await runCommand(command, args, { cwd: '/', timeoutMs: 10_000 })).exitCode === 0;
}
