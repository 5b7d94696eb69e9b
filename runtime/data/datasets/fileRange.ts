import { open } from 'node:fs/promises';

/**
 * Reads `bytes` bytes of a file from `offset` on. The result is shorter where the file ends before. The file is opened
 * for the one read: a data set may have more shards than a process may have files open.
 */
export async function readRange(path: string, offset: number, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path, 'r');
  try {
    const buffer = new Uint8Array(bytes);
    let filled = 0;
    while (filled < bytes) {
      const { bytesRead } = await file.read(buffer, filled, bytes - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled === bytes ? buffer : buffer.slice(0, filled);
  } finally {
    await file.close();
  }
}
