import { type ChildProcess, spawn } from 'node:child_process';

export interface CommandResult {
  exitCode: number | null;
  /** Standard output and error, in the order they came. */
  output: string;
}

/** Nothing that we wait for goes on when we are ended. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill();
});

/** Runs a command to its end; never throws on a failing exit code. `onOutput` sees the output as it comes. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv; timeoutMs: number; onOutput?: (text: string) => void },
): Promise<CommandResult> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    options.onOutput?.(chunk.toString());
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      output += `\n(${command} was stopped after ${options.timeoutMs / 1000} s)\n`;
      child.kill('SIGKILL');
    }, options.timeoutMs);
    child.once('error', (error) => {
      running.delete(child);
      clearTimeout(timer);
      resolve({ exitCode: null, output: `${output}${error.message}\n` });
    });
    child.once('close', (exitCode) => {
      running.delete(child);
      clearTimeout(timer);
      resolve({ exitCode, output });
    });
  });
}

/** Like `runCommand`, but a failure throws with the end of the output. */
export async function mustRun(...args: Parameters<typeof runCommand>): Promise<string> {
  const { exitCode, output } = await runCommand(...args);
  if (exitCode === 0) return output;
  const [command, parameters] = args;
  throw new Error(
    `\`${[command, ...parameters].join(' ')}\` failed (${exitCode ?? 'no exit code'}):\n${output.slice(-3000)}`,
  );
}
