import { fork, type ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { sizeOf } from '../graph/ir.ts';
import { errors, SimdinoError, type ErrorCode } from '../../../protocol/errors.ts';
import { arrayPipe } from './arrayPipe.ts';
import type { Arrays, CallName, Calls, ExecutorInfo, InitOptions, Reply, Request } from './messages.ts';

/** State travels in parts, so that neither side's event loop is busy with copying for long. */
const LARGEST_PART_BYTES = 16 * 2 ** 20;
const LAST_WORDS_CHARACTERS = 2000;

export interface ExecutorOptions extends InitOptions {
  /** The child's script: `dist/executor.mjs`, or another that calls `hostExecutor`. */
  entry: string | URL;
  /** What the child writes to its standard error. */
  onLog?: (text: string) => void;
}

/** A child process that holds state and runs programs over it. Calls are answered in the order in which they are made. */
export interface Executor extends ExecutorInfo {
  readonly pid: number;
  /** Compiles a program before it is first run. */
  compile(program: string): Promise<{ elapsedMs: number }>;
  run(program: string, inputs: Arrays): Promise<Arrays>;
  /** The entries named, or all. */
  readState(names?: readonly string[]): Promise<Arrays>;
  writeState(values: Arrays): Promise<void>;
  /** Gives up a sum over processes that is not done after so long; the step under way fails with `rankLost`. */
  interrupt(afterMs: number): Promise<void>;
  /** Ends the child, at the latest after `graceMs`. */
  close(options?: { graceMs?: number }): Promise<void>;
}

/**
 * Starts the executor and prepares its programs. The engine's arithmetic, its memory and its crashes stay in the child.
 *
 * @throws engineUnavailable; outOfMemory; executorCrashed, then and from any later call
 */
export async function startExecutor({ entry, onLog, ...init }: ExecutorOptions): Promise<Executor> {
  const channel = openChannel(entry, init.engine, onLog);
  try {
    const info = await channel.call('init', init);
    return {
      ...info,
      pid: channel.pid,
      compile: (program) => channel.call('compile', { program }),
      run: (program, inputs) => channel.call('run', { program, inputs }),
      async readState(names = Object.keys(info.state)) {
        const state: Arrays = {};
        for (const part of inParts(names, (name) => 4 * sizeOf(info.state[name]?.shape ?? []))) {
          Object.assign(state, await channel.call('readState', { names: part }));
        }
        return state;
      },
      async interrupt(afterMs) {
        await channel.call('interrupt', { afterMs });
      },
      async writeState(values) {
        for (const part of inParts(Object.keys(values), (name) => values[name]!.byteLength)) {
          await channel.call('writeState', { values: Object.fromEntries(part.map((name) => [name, values[name]!])) });
        }
      },
      close: ({ graceMs = 5000 } = {}) => channel.close(graceMs),
    };
  } catch (error) {
    await channel.close(0);
    throw error;
  }
}

interface Channel {
  readonly pid: number;
  call<Name extends CallName>(call: Name, argument: Calls[Name]['argument']): Promise<Calls[Name]['result']>;
  close(graceMs: number): Promise<void>;
}

/** MPICH's launcher talks to its processes through a file that they inherit; the child is the one that answers. */
function launcherChannel(): (number | 'ignore')[] {
  const file = Number(process.env['PMI_FD'] ?? Number.NaN);
  const first = 4;
  if (!Number.isInteger(file) || file < first) return [];
  return Array.from({ length: file - first + 1 }, (_, index) => (index + first === file ? file : 'ignore'));
}

/**
 * How glibc manages the child's memory; other allocators don't know the names. ONNX Runtime's binding copies every result into an array of
 * its own, at each step as much as the whole state: such memory is not given back to the system when it is freed, only to be asked for
 * page by page at the next step. And all of it is in huge pages where the system has them. Together about 3 % of a step's time.
 */
const memorySettings = {
  MALLOC_MMAP_THRESHOLD_: String(2 ** 30),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 32),
  MALLOC_TOP_PAD_: String(2 ** 26),
  GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1',
};

interface Pending {
  resolve(result: never): void;
  reject(error: Error): void;
}

function openChannel(entry: string | URL, engine: string, onLog?: (text: string) => void): Channel {
  const inherited: ('ignore' | 'pipe' | 'ipc' | number)[] = ['ignore', 'ignore', 'pipe', 'ipc', ...launcherChannel()];
  const pipeFile = inherited.length;
  const child = fork(entry, [String(pipeFile)], {
    serialization: 'advanced',
    stdio: [...inherited, 'pipe'],
    // The parent's debugger port and loaders are not the child's.
    execArgv: [],
    env: { ...memorySettings, ...process.env },
  });
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let ended: Error | undefined;
  let lastWords = '';

  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS_CHARACTERS);
    onLog?.(text);
  });
  const pipe = child.stdio[pipeFile] as Duplex;
  const arrays = arrayPipe((bytes) => pipe.write(bytes));
  pipe.on('data', (chunk: Uint8Array) => arrays.take(chunk));
  // It breaks only when the child ends, which says why.
  pipe.on('error', () => undefined);
  child.on('message', (message) => void arrays.restore(message as Reply).then(settle));
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => end(error.message, resolve));
    child.once('exit', (code, signal) => {
      // What it wrote last may still be on its way.
      const report = () => end(describeExit(code, signal, lastWords), resolve);
      if (child.stderr!.readableEnded) report();
      else child.stderr!.once('close', report);
    });
  });

  function end(detail: string, resolve: () => void): void {
    ended ??= errors.executorCrashed(engine, detail);
    for (const { reject } of pending.values()) reject(ended);
    pending.clear();
    resolve();
  }

  function settle(reply: Reply): void {
    const waiting = pending.get(reply.id);
    pending.delete(reply.id);
    if (reply.ok) waiting?.resolve(reply.result as never);
    else waiting?.reject(revived(reply));
  }

  return {
    pid: child.pid ?? -1,
    call: (call, argument) =>
      new Promise((resolve, reject) => {
        if (ended) {
          reject(ended);
          return;
        }
        const id = nextId++;
        pending.set(id, { resolve, reject });
        arrays.send({ id, call, argument }, (light) =>
          child.send(light, (error) => {
            // The exit, which says more, is about to be reported.
            if (error && child.connected) reject(error);
          }),
        );
      }),
    async close(graceMs) {
      ended ??= new Error('internal: executor: used after it was closed.');
      if (isRunning(child)) {
        if (child.connected) {
          const leave: Request = { id: 0, call: 'leave', argument: null };
          child.send(leave, undefined, undefined, () => child.connected && child.disconnect());
        }
        const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
        await exited;
        clearTimeout(timer);
      }
    },
  };
}

const isRunning = (child: ChildProcess): boolean =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null;

function describeExit(code: number | null, signal: string | null, lastWords: string): string {
  const how = signal ? `signal ${signal}` : `exit code ${code}`;
  const guess = signal === 'SIGKILL' ? ', perhaps for lack of memory' : '';
  // Stack frames, numbered by aborts and not by exceptions, say little to the reader of one line.
  const lines = lastWords.split('\n').filter((line) => line.trim() !== '' && !/^\s*(at |\d+: )/.test(line));
  const words = lines.slice(-6).join(' | ');
  return words ? `${how}${guess}: ${words}` : `${how}${guess}`;
}

/** An error of the child, as this process would have thrown it. */
function revived({ message, stack, code, remedy }: Reply & { ok: false }): Error {
  if (code !== undefined) return new SimdinoError(code as ErrorCode, message, remedy ?? '');
  const error = new Error(message);
  if (stack) error.stack = stack;
  return error;
}

function* inParts(names: readonly string[], bytesOf: (name: string) => number): Generator<string[]> {
  let part: string[] = [];
  let bytes = 0;
  for (const name of names) {
    const size = bytesOf(name);
    if (part.length > 0 && bytes + size > LARGEST_PART_BYTES) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(name);
    bytes += size;
  }
  if (part.length > 0) yield part;
}
