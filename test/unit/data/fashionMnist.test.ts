import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { configSchema } from '../../../configs/schema.ts';
import { cacheFolder } from '../../../runtime/data/datasets/cacheFolder.ts';
import { downloadFile } from '../../../runtime/data/datasets/download.ts';
import { openDataset } from '../../../runtime/data/datasets/registry.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const root = temporaryFolder();
const open = (path?: string, onProgress?: (message: string) => void) =>
  openDataset(configSchema.parse({ data: { kind: 'fashion-mnist', ...(path && { path }) } }).data, {
    ...(onProgress && { onProgress }),
  });

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

describe('fashion-mnist', () => {
  it('refuses files of other content', async () => {
    const header = Buffer.from([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 42]);
    for (const part of ['train', 't10k'])
      for (const file of [`${part}-images-idx3-ubyte.gz`, `${part}-labels-idx1-ubyte.gz`])
        writeFileSync(join(root, file), gzipSync(header));
    await expect(open(root)).rejects.toThrow(
      /-images-idx3-ubyte.gz \(uncompressed\): expected SHA-256 [0-9a-f]{64}, got [0-9a-f]{64}/,
    );
  });

  it('says which file is missing', async () => {
    mkdirSync(join(root, 'bare'));
    await expect(open(join(root, 'bare'))).rejects.toThrow(
      /bare can't be read: train-images-idx3-ubyte.gz is missing|t10k-images-idx3-ubyte.gz is missing/,
    );
  });

  // A machine on which the set is installed never fetches it.
  it.skipIf(existsSync('/usr/share/datasets/fashion-mnist'))(
    'says what was tried where it can be had from nowhere, and leaves nothing behind',
    async () => {
      const cache = join(root, 'cache');
      const programs = join(root, 'programs');
      mkdirSync(programs);
      writeFileSync(join(programs, 'apt-get'), '#!/bin/sh\necho "E: Unable to locate package" >&2\nexit 100\n');
      chmodSync(join(programs, 'apt-get'), 0o755);
      vi.stubEnv('SIMDINO_CACHE', cache);
      vi.stubEnv('PATH', `${programs}:/bin:/usr/bin`);
      vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed', { cause: new Error('no route') })));
      const progress: string[] = [];
      await expect(open(undefined, (message) => progress.push(message))).rejects.toThrowErrorMatchingInlineSnapshot(
        `[SimdinoError: The data set 'fashion-mnist' can't be fetched: Debian's package: apt-get update: E: Unable to locate package; the authors' server: fetch failed (no route). Check the network, or set data.kind: synthetic.]`,
      );
      expect(progress).toEqual([
        "Fetching Fashion-MNIST (31 MB) from Debian's package",
        "Fetching Fashion-MNIST (31 MB) from the authors' server",
      ]);
      expect(readdirSync(cache)).toEqual([]);
    },
  );
});

describe('cacheFolder', () => {
  it.each<[NodeJS.ProcessEnv, NodeJS.Platform, string]>([
    [{ SIMDINO_CACHE: '/a', XDG_CACHE_HOME: '/b' }, 'linux', '/a'],
    [{ XDG_CACHE_HOME: '/b' }, 'linux', '/b/simdino-studio'],
    [{}, 'linux', join(homedir(), '.cache/simdino-studio')],
    [{}, 'darwin', join(homedir(), 'Library/Caches/simdino-studio')],
  ])('%j on %s', (environment, platform, expected) => {
    expect(cacheFolder(environment, platform)).toBe(expected);
  });
});

describe('downloadFile', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/found') response.end('x'.repeat(1000));
      else if (request.url === '/torn')
        response.writeHead(200, { 'content-length': 1000 }).write('x', () => response.destroy());
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it('writes what comes, up to its limit', async () => {
    const file = join(root, 'downloaded');
    await downloadFile(`${url}/found`, file, 1000);
    expect(existsSync(file)).toBe(true);
    await expect(downloadFile(`${url}/found`, file, 999)).rejects.toThrow(/larger than 999 bytes/);
    await expect(downloadFile(`${url}/lost`, file, 1000)).rejects.toThrow(/answered 404/);
    await expect(downloadFile(`${url}/torn`, file, 1000)).rejects.toThrow();
  });
});
