import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { isSameProcessAlive } from './liveness.ts';
import type { ProcessIdentity } from '../../protocol/records.ts';

/**
 * Ends a process and all that descend from it, without asking them. Only if it is still the process that was meant: a pid
 * that was given to another one is left alone. The pids that were signalled.
 */
export async function killTree(root: ProcessIdentity): Promise<number[]> {
  if (!isSameProcessAlive(root)) return [];
  if (process.platform === 'win32') {
    await run('taskkill', ['/PID', String(root.pid), '/T', '/F']);
    return [root.pid];
  }
  // Parents first: nobody is left to start a child again.
  const pids = descendants(root.pid, await parents());
  const signalled: number[] = [];
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
      signalled.push(pid);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it ended in the meantime
    }
  }
  return signalled;
}

/** A process and its descendants, ancestors before descendants. `parents` maps each pid to its parent's. */
export function descendants(root: number, parents: ReadonlyMap<number, number>): number[] {
  const children = new Map<number, number[]>();
  for (const [pid, parent] of parents) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []).filter((child) => !found.includes(child)));
  return found;
}

async function parents(): Promise<Map<number, number>> {
  return process.platform === 'linux' ? parentsInProc() : parentsFromPs(await run('ps', ['-A', '-o', 'pid=,ppid=']));
}

async function parentsInProc(): Promise<Map<number, number>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = new Map<number, number>();
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // Behind the command, which stands in parentheses: state and parent.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (Number.isInteger(parent)) found.set(Number(pid), parent);
  }
  return found;
}

function parentsFromPs(output: string): Map<number, number> {
  const pairs = [...output.matchAll(/^\s*(\d+)\s+(\d+)\s*$/gm)];
  return new Map(pairs.map(([, pid, parent]) => [Number(pid), Number(parent)]));
}

function run(command: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { windowsHide: true }, (error, stdout) => {
      if (error) reject(new Error(`${command}: ${error.message}`));
      else resolve(stdout);
    });
  });
}
