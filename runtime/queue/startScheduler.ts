import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { launchFolder } from '../../protocol/runFolder.ts';
import { builtFile } from '../installation.ts';

/** Starts a scheduler of the queue as a process of its own, which outlives the terminal and the window. Its process id. */
export function startScheduler(runsFolder: string): number | undefined {
  const logs = join(runsFolder, launchFolder);
  mkdirSync(logs, { recursive: true });
  const log = openSync(join(logs, 'queue.log'), 'a');
  const child = spawn(process.execPath, [builtFile('simdino.mjs'), 'queue', 'work', '--runs-dir', runsFolder], {
    detached: true,
    stdio: ['ignore', log, log],
    windowsHide: true,
  });
  closeSync(log);
  child.unref();
  return child.pid;
}
