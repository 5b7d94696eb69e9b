import { build } from 'esbuild';

/** Bundles a script that calls `hostExecutor`, as the product's own is. The file must lie in the checkout, where the child finds the native packages. */
export async function bundleExecutor(entryPoint: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    external: ['onnxruntime-node', 'node-fetch', 'webgpu'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}
