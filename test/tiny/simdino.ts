import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtFile } from '../../runtime/installation.ts';

export interface Finished {
  code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  process: ChildProcess;
  finished: Promise<Finished>;
}

/** Starts the built command line. */
export function simdino(...args: string[]): Running {
  const child = spawn(process.execPath, [builtFile('simdino.mjs'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text.stdout += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text.stderr += part));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...text }));
  });
  return { process: child, finished };
}

type Line = Record<string, number | string>;

/** Lines of an attempt's file; a torn last line is left out, as every reader does. */
export function linesOf(run: string, attempt: string, file: 'metrics.jsonl' | 'events.jsonl'): Line[] {
  const path = join(run, 'attempts', attempt, file);
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** Loss by step. */
export function lossesOf(run: string, attempt: string): Map<number, number> {
  return new Map(
    linesOf(run, attempt, 'metrics.jsonl')
      .filter((line) => 'loss' in line)
      .map((line) => [Number(line['step']), Number(line['loss'])]),
  );
}

/** Waits until an attempt has logged this step, or a later one. */
export async function untilStep(run: string, attempt: string, step: number, timeoutMs = 60_000): Promise<void> {
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await sleep(20))
    // One that went on from a checkpoint begins after it.
    if (Math.max(...lossesOf(run, attempt).keys()) >= step) return;
  throw new Error(`${run} has not reached step ${step} in ${timeoutMs} ms`);
}
