/** Where the product's own files are: the same for the built files in `dist/` and for the sources under test. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds `package.json`, `configs/` and `dist/`. */
export const installationFolder = findUpwards(dirname(fileURLToPath(import.meta.url)), 'package.json');

/** Absolute path of a built file: `builtFile('executor.mjs')`. */
export function builtFile(name: string): string {
  const path = join(installationFolder, 'dist', name);
  if (!existsSync(path)) throw new Error(`internal: ${path} is missing; run \`npm run build\`.`);
  return path;
}

function findUpwards(folder: string, name: string): string {
  if (existsSync(join(folder, name))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`internal: no ${name} above ${fileURLToPath(import.meta.url)}`);
  return findUpwards(parent, name);
}
