import { readSync } from 'node:fs';

export interface OpenFile {
  handle: number;
  bytes: number;
}

/** What is wrong with a file, in words that follow its name. */
export class FileFault extends Error {}

/** Exactly `length` bytes of a file, no buffer being made for bytes that are not there. @throws FileFault when it ends before */
export function readAt({ handle, bytes }: OpenFile, position: number, length: number): Buffer {
  if (position < 0 || length < 0 || position + length > bytes)
    throw new FileFault(`it ends before byte ${position + length}, where one of its parts should end`);
  const buffer = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const got = readSync(handle, buffer, done, length - done, position + done);
    if (got === 0) throw new FileFault(`it ends ${length - done} bytes early`);
    done += got;
  }
  return buffer;
}
