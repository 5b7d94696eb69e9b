import { open, type FileHandle } from 'node:fs/promises';
import { parseJsonLine } from './parseJsonLine.ts';

/** Read in pieces of this size, so that a file of any size needs little memory. */
const chunkBytes = 4 * 2 ** 20;
/** A line longer than this is garbage: it is skipped and counted. */
const longestLineBytes = 16 * 2 ** 20;
const newline = 0x0a;

/** Takes lines of a form that it knows from their bytes, without their being parsed as JSON (metricLineReader.ts). */
export interface KnownLines {
  /** @returns where the newline of the line that begins at `start` is; -1 where it is not taken */
  take: (bytes: Buffer, start: number) => number;
}

/** What one call of `JsonLinesTail.read` found. */
export interface TailProgress {
  lines: number;
  /** The file was replaced, or is shorter than what was read of it: it was read again from its start. */
  restarted: boolean;
}

/**
 * Follows an append-only JSON Lines file by byte offset.
 *
 * Each `read` hands over the lines that were completed since the last one. A last line without its newline is left for
 * later: it is either being written or torn. Lines that are no JSON object are counted in `faultyLines` and skipped.
 * A file that does not exist (yet) has no lines.
 */
export class JsonLinesTail {
  /** Bytes consumed: everything before it was handed over or counted as faulty. */
  offset = 0;
  faultyLines = 0;
  /** Inside a line that is too long to keep. */
  #skipping = false;
  #inode: number | undefined;

  constructor(
    readonly path: string,
    private readonly onLine: (line: Record<string, unknown>) => void,
    private readonly known?: KnownLines,
  ) {}

  /** Reads what was appended. `onRestart` is called before the lines of a file that was replaced. */
  async read(onRestart: () => void = () => {}): Promise<TailProgress> {
    const file = await openIfThere(this.path);
    const progress: TailProgress = { lines: 0, restarted: false };
    if (!file) return progress;
    try {
      const { size, ino } = await file.stat();
      const replaced = this.#inode !== undefined && ino !== this.#inode;
      this.#inode = ino;
      if (size < this.offset || replaced) {
        this.offset = 0;
        this.faultyLines = 0;
        this.#skipping = false;
        progress.restarted = true;
        onRestart();
      }
      let chunk = Buffer.alloc(Math.min(chunkBytes, Math.max(1, size - this.offset)));
      while (this.offset < size) {
        const wanted = Math.min(chunk.length, size - this.offset);
        const { bytesRead } = await file.read(chunk, 0, wanted, this.offset);
        if (bytesRead === 0) break;
        const consumed = this.#consume(chunk.subarray(0, bytesRead), progress);
        this.offset += consumed;
        if (consumed > 0) continue;
        if (this.offset + bytesRead >= size) break; // an unfinished last line
        if (chunk.length >= longestLineBytes) {
          this.#skipping = true;
          this.faultyLines++;
          this.offset += bytesRead;
        } else {
          chunk = Buffer.alloc(chunk.length * 2);
        }
      }
      return progress;
    } finally {
      await file.close();
    }
  }

  /** Hands over the whole lines of `bytes`; returns how many bytes they took. */
  #consume(bytes: Buffer, progress: TailProgress): number {
    let start = 0;
    for (;;) {
      const taken = this.known && !this.#skipping ? this.known.take(bytes, start) : -1;
      if (taken >= 0) {
        progress.lines++;
        start = taken + 1;
        continue;
      }
      const end = bytes.indexOf(newline, start);
      if (end < 0) break;
      if (this.#skipping) this.#skipping = false;
      else this.#take(bytes.toString('utf8', start, end), progress);
      start = end + 1;
    }
    if (this.#skipping && start === 0) return bytes.length;
    return start;
  }

  #take(text: string, progress: TailProgress): void {
    if (text.trim() === '') return;
    const line = parseJsonLine(text);
    if (!line) {
      this.faultyLines++;
      return;
    }
    progress.lines++;
    this.onLine(line);
  }
}

/** All whole lines of a file, and how many were no JSON object. */
export async function readJsonLines(path: string): Promise<{ lines: Record<string, unknown>[]; faultyLines: number }> {
  const lines: Record<string, unknown>[] = [];
  const tail = new JsonLinesTail(path, (line) => lines.push(line));
  await tail.read();
  return { lines, faultyLines: tail.faultyLines };
}

/** What is to be said of lines that were left out; nothing where none was. */
export function unreadableLines(path: string, count: number): string[] {
  return count === 0 ? [] : [`${path}: ${count === 1 ? '1 unreadable line' : `${count} unreadable lines`}, left out`];
}

/** The texts of the whole lines within the last `bytes` of a file: a cost that does not grow with the file. */
export async function readLastLines(path: string, bytes: number): Promise<string[]> {
  const file = await openIfThere(path);
  if (!file) return [];
  try {
    const { size } = await file.stat();
    if (size === 0) return [];
    const from = Math.max(0, size - bytes);
    const buffer = Buffer.allocUnsafe(size - from);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    const text = buffer.toString('utf8', 0, bytesRead);
    const first = from === 0 ? 0 : text.indexOf('\n') + 1;
    if (from > 0 && first === 0) return [];
    const last = text.lastIndexOf('\n');
    return last < first ? [] : text.slice(first, last).split('\n');
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether a file system error says that the thing is not there. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
