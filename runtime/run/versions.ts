import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { installationFolder } from '../installation.ts';

interface Manifest {
  version: string;
  dependencies?: Record<string, string>;
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(installationFolder, 'package.json'), 'utf8')) as Manifest;
}

/** The product's version. */
export function studioVersion(): string {
  return manifest().version;
}

/** Versions of the libraries that decide numbers, as installed. */
export function libraryVersions(): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const name of ['onnxruntime-node', 'sharp']) versions[name] = installedVersion(name);
  const bundled = manifest().dependencies?.['@tensorflow/tfjs-core'];
  if (bundled) versions['@tensorflow/tfjs-core'] = bundled;
  return versions;
}

/** Read from the package's folder, since not every package exports its manifest. */
function installedVersion(name: string): string {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const path = folders.map((folder) => join(folder, name, 'package.json')).find((file) => existsSync(file));
  if (path === undefined) throw new Error(`internal: the package ${name} is in none of ${folders.join(', ')}.`);
  return (JSON.parse(readFileSync(path, 'utf8')) as Manifest).version;
}
