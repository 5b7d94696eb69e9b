import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { installOnce } from '../../host/installOnce.ts';

let cache = '';
const folderOf = (name: string): string => join(cache, 'host', name);

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'simdino-cache-'));
  vi.stubEnv('SIMDINO_CACHE', cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

test('fills a folder once, however many ask at the same time', async () => {
  let fills = 0;
  const fill = async (folder: string): Promise<void> => {
    fills++;
    await sleep(50);
    writeFileSync(join(folder, 'content'), 'whole');
  };
  const folders = await Promise.all([1, 2, 3].map(() => installOnce('thing', fill)));

  expect(new Set(folders)).toEqual(new Set([folderOf('thing')]));
  expect(fills).toBe(1);
  expect(readFileSync(join(folderOf('thing'), 'content'), 'utf8')).toBe('whole');
  expect(readdirSync(join(cache, 'host'))).toEqual(['thing']);
});

test('leaves nothing behind when filling fails, and the next one tries again', async () => {
  await expect(installOnce('thing', () => Promise.reject(new Error('no network')))).rejects.toThrow('no network');
  expect(readdirSync(join(cache, 'host'))).toEqual([]);

  await installOnce('thing', async (folder) => writeFileSync(join(folder, 'content'), ''));
  expect(existsSync(join(folderOf('thing'), 'content'))).toBe(true);
});

test('clears away what a killed process left: its lock, its half, and a folder without the marker', async () => {
  const deadPid = 2 ** 22 + 1; // above the largest pid that Linux gives out
  mkdirSync(`${folderOf('thing')}.lock`, { recursive: true });
  writeFileSync(join(`${folderOf('thing')}.lock`, 'pid'), String(deadPid));
  mkdirSync(`${folderOf('thing')}.partial-${deadPid}`);
  mkdirSync(folderOf('thing'));
  writeFileSync(join(folderOf('thing'), 'old'), '');

  await installOnce('thing', async (folder) => writeFileSync(join(folder, 'new'), ''));
  expect(readdirSync(folderOf('thing')).sort()).toEqual(['.complete', 'new']);
  expect(readdirSync(join(cache, 'host'))).toEqual(['thing']);
});
