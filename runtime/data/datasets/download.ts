import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const idleLimitMs = 30_000;

/**
 * Downloads a URL into a file. Rejects on any status but 200, on `maxBytes` and when nothing comes for half a minute.
 */
export async function downloadFile(url: string, path: string, maxBytes: number): Promise<void> {
  const idle = new AbortController();
  const giveUp = () => idle.abort(new Error(`nothing came from ${url} for ${idleLimitMs / 1000} s`));
  let timer = setTimeout(giveUp, idleLimitMs);
  try {
    const response = await fetch(url, { signal: idle.signal, redirect: 'follow' });
    if (!response.ok || response.body === null)
      throw new Error(`${url} answered ${response.status} ${response.statusText}`);
    let bytes = 0;
    const watch = new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        clearTimeout(timer);
        timer = setTimeout(giveUp, idleLimitMs);
        bytes += chunk.length;
        if (bytes > maxBytes) done(new Error(`${url} is larger than ${maxBytes} bytes`));
        else done(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body), watch, createWriteStream(path));
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    throw cause instanceof Error ? new Error(`${(error as Error).message} (${cause.message})`, { cause }) : error;
  } finally {
    clearTimeout(timer);
  }
}
