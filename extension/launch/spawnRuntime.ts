import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment, type RuntimeNode } from './runtimeNode.ts';

export interface LaunchPlan {
  node: RuntimeNode;
  /** `simdino.mjs`. */
  script: string;
  args: readonly string[];
  workingFolder: string;
  /** What the process prints goes there. */
  logPath: string;
}

export interface Launched {
  pid: number;
  /** The exit code, or the signal's name; undefined while it runs. */
  ended: () => number | string | undefined;
  logPath: string;
}

/**
 * Starts the runtime as a process of its own: in a session of its own, with its output in a file and nothing that ties it to
 * this process, so that it goes on when the window, the extension host or the editor's server ends.
 *
 * @throws Error of the system when the executable can't be started
 */
export async function spawnRuntime({ node, script, args, workingFolder, logPath }: LaunchPlan): Promise<Launched> {
  await mkdir(dirname(logPath), { recursive: true });
  const log = await open(logPath, 'a');
  try {
    await log.write(`$ ${[node.path, script, ...args].map(quoted).join(' ')}\n`);
    const child = spawn(node.path, [script, ...args], {
      cwd: workingFolder,
      env: { ...cleanEnvironment(process.env), ...node.environment },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      windowsHide: true,
    });
    let ended: number | string | undefined;
    child.once('exit', (code, signal) => (ended = code ?? signal ?? 'unknown'));
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve(child.pid as number));
    });
    child.unref();
    return { pid, ended: () => ended, logPath };
  } finally {
    await log.close();
  }
}

export type LaunchOutcome =
  { kind: 'created' } | { kind: 'ended'; code: number | string; output: string } | { kind: 'cancelled' };

/** Waits until the launched process has made `path` (without one: for its end), has ended, or waiting is `cancelled`. */
export async function waitForFile(
  launched: Launched,
  path: string | undefined,
  cancelled: () => boolean,
): Promise<LaunchOutcome> {
  const isThere = (): boolean => path !== undefined && existsSync(path);
  for (;;) {
    if (isThere()) return { kind: 'created' };
    const code = launched.ended();
    if (code !== undefined) {
      if (isThere()) return { kind: 'created' };
      return { kind: 'ended', code, output: await outputOf(launched.logPath) };
    }
    if (cancelled()) return { kind: 'cancelled' };
    await sleep(100);
  }
}

/** What the last process of a log printed: what stands behind the last command line. */
async function outputOf(logPath: string): Promise<string> {
  const text = `\n${await readFile(logPath, 'utf8')}`;
  const command = text.lastIndexOf('\n$ ');
  return text
    .slice(text.indexOf('\n', command + 1) + 1)
    .trim()
    .slice(-4000);
}

/** The log of what was launched under an id, kept beside the runs. */
export function launchLogPath(runsFolder: string, id: string): string {
  return join(runsFolder, '.launch', `${id}.log`);
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
