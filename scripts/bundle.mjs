// Bundles the extension, the runtime's processes and the webviews.
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { EXTENSION_ENTRIES, NATIVE_PACKAGES, NODE_ENTRIES, REPORT_ENTRIES, WEBVIEW_ENTRIES } from './entries.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Writes all bundles into `outdir`; with `watch`, keeps them up to date until the process ends.
 * `production` minifies and leaves the source maps out.
 * Returns the paths of all bundled files, relative to the repository (none when watching).
 * Throws esbuild's BuildFailure (already printed, with positions) or an Error that names a missing entry point.
 */
export async function bundle({ outdir = join(root, 'dist'), production = false, watch = false } = {}) {
  const plans = bundlePlans(outdir, production);
  const missing = plans
    .flatMap((plan) => Object.values(plan.entryPoints))
    .filter((path) => !existsSync(join(root, path)));
  if (missing.length > 0)
    throw new Error(`build: missing entry points: ${missing.join(', ')} (see scripts/entries.mjs)`);

  mkdirSync(outdir, { recursive: true });
  const contexts = await Promise.all(plans.map((plan) => esbuild.context(plan)));
  if (watch) {
    await Promise.all(contexts.map((context) => context.watch()));
    return [];
  }
  try {
    const results = await Promise.all(contexts.map((context) => context.rebuild()));
    const written = new Set(
      results.flatMap((result) => Object.keys(result.metafile.outputs)).map((path) => basename(path)),
    );
    // `npx simdino` runs the file itself.
    chmodSync(join(outdir, 'simdino.mjs'), 0o755);
    removeOldChunks(outdir, written);
    removeOldChunks(join(outdir, 'webview'), written);
    return results.flatMap((result) => Object.keys(result.metafile.inputs));
  } finally {
    await Promise.all(contexts.map((context) => context.dispose()));
  }
}

/** @returns {esbuild.BuildOptions[]} */
function bundlePlans(outdir, production) {
  const shared = {
    absWorkingDir: root,
    bundle: true,
    metafile: true,
    logLevel: 'warning',
    sourcemap: production ? false : 'linked',
    minify: production,
    keepNames: production,
    define: { 'process.env.NODE_ENV': '"production"' },
  };
  const extensionHost = {
    ...shared,
    entryPoints: EXTENSION_ENTRIES,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode', ...NATIVE_PACKAGES],
    outdir,
    outExtension: { '.js': '.cjs' },
    // Some packages name an ES module that esbuild can take apart beside a UMD build that it can't.
    mainFields: ['module', 'main'],
  };
  const node = {
    ...shared,
    entryPoints: NODE_ENTRIES,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // tfjs-core requires node-fetch only where there is no global fetch: never on Node 20.
    external: [...NATIVE_PACKAGES, 'node-fetch'],
    mainFields: ['module', 'main'],
    // Shared chunks lie beside the entries, so that `new URL('x', import.meta.url)` means the same in all of them.
    splitting: true,
    chunkNames: 'chunk-[hash]',
    outdir,
    outExtension: { '.js': '.mjs' },
    // Bundled CommonJS packages call `require`, which an ES module does not have.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    loader: { '.wasm': 'binary' },
  };
  const webviews = {
    ...shared,
    keepNames: false,
    minify: true,
    entryPoints: WEBVIEW_ENTRIES,
    platform: 'browser',
    format: 'esm',
    splitting: true,
    chunkNames: 'chunk-[hash]',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    outdir: join(outdir, 'webview'),
    loader: { '.svg': 'dataurl', '.ttf': 'dataurl' },
  };
  const report = { ...webviews, entryPoints: REPORT_ENTRIES, format: 'iife', splitting: false };
  return [extensionHost, node, webviews, report];
}

/**
 * A chunk's name changes with its content, so old ones collect. A run that is still training may import one of them later:
 * only those older than a day go.
 */
function removeOldChunks(outdir, written) {
  const dayMs = 24 * 3600 * 1000;
  for (const name of readdirSync(resolve(outdir))) {
    const path = join(outdir, name);
    const isOldChunk = /^chunk-.*\.m?js(\.map)?$/.test(name) && !written.has(name);
    if (isOldChunk && Date.now() - statSync(path).mtimeMs > dayMs) rmSync(path);
  }
}
