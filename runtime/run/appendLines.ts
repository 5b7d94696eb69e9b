import { closeSync, openSync, writeSync } from 'node:fs';
import { errors, isSimdinoError } from '../../protocol/errors.ts';

/** A file that only grows: each line is one write, so that a killed process tears at most the last one. */
export interface LineFile {
  append(line: string): void;
  close(): void;
}

/** Opens a file for appending. @throws runFolderUnwritable, diskFilled when a line can't be written */
export function openLineFile(path: string): LineFile {
  const file = guard(path, () => openSync(path, 'a'));
  return {
    append: (line) => {
      const bytes = Buffer.from(`${line}\n`);
      guard(path, () => {
        for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
      });
    },
    close: () => closeSync(file),
  };
}

/** Numbers that JSON has no word for, as the strings that readers of metric files understand. */
export function jsonLine(values: Record<string, unknown>): string {
  return JSON.stringify(values, (_key, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );
}

/** Runs a file operation and turns the system's error into a user's. */
export function guard<T>(path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    if (isSimdinoError(error)) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw errors.diskFilled(path);
    if (code === 'EEXIST') throw errors.runFolderUnwritable(path, message);
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR')
      throw errors.runFolderUnwritable(path, message);
    throw error;
  }
}
