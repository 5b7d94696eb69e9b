import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, closeSync, readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process with all that it starts, as one group that ends together. */
export interface ProcessGroup {
  readonly pid: number;
  /** Resolves with the exit code of the first process, null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Asks the whole group to end, and kills what is left after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
  /** Kills the whole group at once, as a crash or a machine's out-of-memory killer would. */
  kill(): Promise<void>;
}

const running = new Set<ProcessGroup>();
process.on('exit', () => {
  for (const group of running) signalGroup(group.pid, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => process.exit(130));
}

/** Starts `command` in a group of its own, its output going to `logPath`. The group ends with this process at the latest. */
export function startProcessGroup(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv; logPath: string },
): ProcessGroup {
  const log = openSync(options.logPath, 'a');
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  if (child.pid === undefined) throw new Error(`${command} could not be started; see ${options.logPath}.`);
  const pid = child.pid;
  const group: ProcessGroup = {
    pid,
    exited: exitOf(child),
    async stop(graceMs = 5_000) {
      signalGroup(pid, 'SIGTERM');
      if (!(await emptied(pid, graceMs))) await group.kill();
      running.delete(group);
    },
    async kill() {
      signalGroup(pid, 'SIGKILL');
      if (!(await emptied(pid, 5_000)))
        throw new Error(`Processes of group ${pid} survived SIGKILL: ${members(pid).join(', ')}.`);
      running.delete(group);
    },
  };
  running.add(group);
  return group;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Processes of the group that still run; empty where there is no /proc and the group's leader is gone. */
export function members(groupId: number): number[] {
  if (process.platform !== 'linux') return isAlive(-groupId) ? [groupId] : [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      const [state, group] = stateAndGroup(name);
      return group === groupId && state !== 'Z';
    })
    .map(Number);
}

/** Fields 3 and 5 of /proc/PID/stat; the command in field 2 is in parentheses and may hold anything. */
function stateAndGroup(pid: string): [string, number] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [fields[0] ?? '', Number(fields[2])];
  } catch {
    return ['', -1]; // it ended while we were looking
  }
}

function signalGroup(groupId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-groupId, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function emptied(groupId: number, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (members(groupId).length > 0) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', reject);
  });
}
