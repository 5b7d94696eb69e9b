import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll } from 'vitest';

/** The data worker bundled from its sources as they are now, where packages still resolve. */
export async function buildDataWorker(): Promise<URL> {
  const root = join(import.meta.dirname, '../../..');
  const folder = join(root, '.cache/test');
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `dataWorker-${process.pid}.mjs`);
  await build({
    absWorkingDir: root,
    entryPoints: ['runtime/data/dataWorker.ts'],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  });
  afterAll(() => rmSync(outfile, { force: true }));
  return pathToFileURL(outfile);
}
