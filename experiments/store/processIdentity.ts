import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ProcessIdentity } from '../../protocol/records.ts';

/** What identifies this process for as long as the host is up, even after its pid is given to another. */
export function currentProcess(): ProcessIdentity {
  const found = findProcessSync(process.pid);
  return {
    pid: process.pid,
    startTime: found.kind === 'present' ? found.startTime : '',
    hostname: hostname(),
    bootId: currentBootId(),
  };
}

/** A look into the process table. `startTime` is empty where the system does not tell it (Windows). */
export type ProcessLookup = { kind: 'present'; startTime: string } | { kind: 'absent' };

/** Looks a process up by its pid. A zombie counts as absent: it runs no more. */
export async function findProcess(pid: number): Promise<ProcessLookup> {
  return asksPs(pid) ? fromPs(await output('ps', psArguments(pid))) : findProcessSync(pid);
}

/** As `findProcess`, for callers that can't wait; on macOS it blocks for as long as `ps` takes. */
export function findProcessSync(pid: number): ProcessLookup {
  if (!Number.isSafeInteger(pid) || pid <= 0) return { kind: 'absent' };
  switch (process.platform) {
    case 'linux':
      return findInProc(pid);
    case 'win32':
      return signalReaches(pid) ? { kind: 'present', startTime: '' } : { kind: 'absent' };
    default:
      return fromPs(outputSync('ps', psArguments(pid)));
  }
}

let bootId: string | undefined;

/**
 * Identifies the boot of this host and, on Linux, the namespace of its process numbers: a container may share its host's
 * name and boot and still count its processes on its own. Empty where the system has none.
 */
export function currentBootId(): string {
  bootId ??= readBootId();
  return bootId;
}

function readBootId(): string {
  if (process.platform === 'linux') {
    const boot = orEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    return boot && `${boot}/${orEmpty(() => readlinkSync('/proc/self/ns/pid'))}`;
  }
  if (process.platform === 'darwin') return outputSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid']).trim();
  return '';
}

/** `/proc/PID/stat`: the state is the 3rd field, the start time in clock ticks since boot the 22nd. */
function findInProc(pid: number): ProcessLookup {
  const stat = orEmpty(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The 2nd field is the command in parentheses, which may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (!state || !startTime || state === 'Z' || state === 'X') return { kind: 'absent' };
  return { kind: 'present', startTime };
}

function asksPs(pid: number): boolean {
  return process.platform !== 'linux' && process.platform !== 'win32' && Number.isSafeInteger(pid) && pid > 0;
}

const psArguments = (pid: number): string[] => ['-o', 'state=,lstart=', '-p', String(pid)];

/** `ps` prints the state and the start time, and nothing for a pid that nobody has. */
function fromPs(line: string): ProcessLookup {
  const match = /^(\S+)\s+(.+)$/.exec(line.trim());
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

/** The result of a read that fails when there is nothing to read, such as `/proc` of a process that ended. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

const inEnglish = { env: { ...process.env, LC_ALL: 'C' } };

function output(command: string, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, args, inEnglish, (_error, stdout) => resolve(stdout));
  });
}

function outputSync(command: string, args: string[]): string {
  return orEmpty(() =>
    execFileSync(command, args, { ...inEnglish, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
}
