import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll } from 'vitest';

const root = join(import.meta.dirname, '../../..');
// Within the repository, so that the worker's packages resolve.
mkdirSync(join(root, '.cache'), { recursive: true });
const folder = mkdtempSync(join(root, '.cache/data-worker-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The data worker, bundled from its sources as they are now. */
export async function buildDataWorker(): Promise<URL> {
  const outfile = join(folder, 'dataWorker.mjs');
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
  return pathToFileURL(outfile);
}
