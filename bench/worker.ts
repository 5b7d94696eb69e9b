/** A process that answers lines of JSON with lines of JSON: one side of a benchmark, whatever it is written in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** For putting its things away at the end. */
const graceMs = 30_000;

export interface Worker {
  /** Writes a line that is not answered. */
  tell(line: object): void;
  /**
   * Writes a line and waits for the answer.
   *
   * @throws what the process said, or that it ended
   */
  ask<Answer>(line: object | ''): Promise<Answer>;
  close(): Promise<void>;
}

/** @param options.patienceMs an answer that takes longer is not waited for: the process is ended */
export function startWorker(
  command: string,
  args: string[],
  { name, env = {}, patienceMs = Infinity }: { name: string; env?: Record<string, string>; patienceMs?: number },
): Worker {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  // What it can no longer read it is told in vain; its end is what matters.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function nextObject(): Promise<string> {
    for (;;) {
      const answer = (await lines.next()) as IteratorResult<string, undefined>;
      if (answer.done) throw new WorkerEnded(`${name} ended (${await ended})`);
      // Libraries write to the standard output now and then.
      if (answer.value.startsWith('{')) return answer.value;
    }
  }

  /** Ends the process if it takes longer. */
  async function patiently<T>(action: () => Promise<T>): Promise<T> {
    if (patienceMs === Infinity) return action();
    let isLate = false;
    const timer = setTimeout(() => (isLate = child.kill('SIGKILL')), patienceMs);
    try {
      return await action();
    } catch (error) {
      throw isLate ? new WorkerLate(`${name} took longer than ${patienceMs / 1000} s`) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    tell(line) {
      child.stdin.write(`${JSON.stringify(line)}\n`);
    },
    async ask<Answer>(line: object | ''): Promise<Answer> {
      child.stdin.write(`${line === '' ? '' : JSON.stringify(line)}\n`);
      const found = JSON.parse(await patiently(nextObject)) as Answer & { error?: string };
      if (found.error !== undefined) throw new Error(`${name}: ${found.error}`);
      return found;
    },
    async close() {
      child.stdin.end();
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await once(child, 'close');
      clearTimeout(timer);
    },
  };
}

/** The process is gone: nothing more can be asked of it. */
export class WorkerEnded extends Error {}

/** It was ended, having taken too long. */
export class WorkerLate extends WorkerEnded {}
