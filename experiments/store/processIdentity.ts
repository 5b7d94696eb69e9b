import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { ProcessIdentity } from '../../protocol/records.ts';

/** What identifies this process for as long as the host is up, even after its pid is given to another. */
export async function currentProcess(): Promise<ProcessIdentity> {
  const found = await findProcess(process.pid);
  return {
    pid: process.pid,
    startTime: found.kind === 'present' ? found.startTime : '',
    hostname: hostname(),
    bootId: await currentBootId(),
  };
}

/** A look into the process table. `startTime` is empty where the system does not tell it (Windows). */
export type ProcessLookup = { kind: 'present'; startTime: string } | { kind: 'absent' };

/** Looks a process up by its pid. A zombie counts as absent: it runs no more. */
export async function findProcess(pid: number): Promise<ProcessLookup> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return { kind: 'absent' };
  switch (process.platform) {
    case 'linux':
      return findInProc(pid);
    case 'win32':
      return signalReaches(pid) ? { kind: 'present', startTime: '' } : { kind: 'absent' };
    default:
      return findWithPs(pid);
  }
}

let bootId: Promise<string> | undefined;

/**
 * Identifies the boot of this host and, on Linux, the namespace of its process numbers: a container may share its host's
 * name and boot and still count its processes on its own. Empty where the system has none.
 */
export function currentBootId(): Promise<string> {
  bootId ??= readBootId();
  return bootId;
}

async function readBootId(): Promise<string> {
  if (process.platform === 'linux') {
    const boot = (await readOrEmpty('/proc/sys/kernel/random/boot_id')).trim();
    const pidNamespace = await readlink('/proc/self/ns/pid').catch(() => '');
    return boot && `${boot}/${pidNamespace}`;
  }
  if (process.platform === 'darwin') return (await output('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'])).trim();
  return '';
}

/** `/proc/PID/stat`: the state is the 3rd field, the start time in clock ticks since boot the 22nd. */
async function findInProc(pid: number): Promise<ProcessLookup> {
  const stat = await readOrEmpty(`/proc/${pid}/stat`);
  // The 2nd field is the command in parentheses, which may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (!state || !startTime || state === 'Z' || state === 'X') return { kind: 'absent' };
  return { kind: 'present', startTime };
}

async function findWithPs(pid: number): Promise<ProcessLookup> {
  const line = (await output('ps', ['-o', 'state=,lstart=', '-p', String(pid)])).trim();
  const match = /^(\S+)\s+(.+)$/.exec(line);
  if (!match || match[1]?.startsWith('Z')) return { kind: 'absent' };
  return { kind: 'present', startTime: match[2] ?? '' };
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function readOrEmpty(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

/** Standard output of a command; empty when it fails, as `ps` does for a pid that nobody has. */
function output(command: string, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, args, { env: { ...process.env, LC_ALL: 'C' } }, (_error, stdout) => resolve(stdout));
  });
}
