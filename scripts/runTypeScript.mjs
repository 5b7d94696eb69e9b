// Runs one of our TypeScript files on Node 20, which does not read TypeScript: bundles it next to the caches, then imports it.
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { root } from './bundle.mjs';
import { NATIVE_PACKAGES } from './entries.mjs';

/** For scripts that record steps: tfjs-core's gradients are modules that only a bundler finds. Native packages stay outside. */
export const WITH_PACKAGES = {
  external: [...NATIVE_PACKAGES, 'node-fetch'],
  mainFields: ['module', 'main'],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};

/** @param packages other esbuild options than to leave all packages outside, such as `WITH_PACKAGES` */
export async function runTypeScript(path, packages = { packages: 'external' }) {
  const folder = join(root, '.cache', 'scripts');
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${basename(path, '.ts')}-${process.pid}.mjs`);
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: [path],
    outfile,
    bundle: true,
    ...packages,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
  });
  process.setSourceMapsEnabled(true);
  try {
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(outfile, { force: true });
  }
}
