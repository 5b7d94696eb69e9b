import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder, whether this runs from its source or from a bundle below the folder. */
export const repository = findUpwards(dirname(fileURLToPath(import.meta.url)));

function findUpwards(folder: string): string {
  if (existsSync(join(folder, 'scripts', 'entries.mjs'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('internal: the repository folder was not found.');
  return findUpwards(parent);
}
