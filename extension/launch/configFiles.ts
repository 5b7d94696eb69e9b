import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { documentKind, type DocumentKind } from '../../configs/documentKind.ts';
import { textLoader, type LoadText } from '../../configs/presets.ts';

/** What a file is shows at its beginning. */
const sniffedBytes = 64 * 1024;

/** What a YAML file is to us; undefined when it is neither a configuration nor a sweep. */
export async function kindOfYaml(path: string): Promise<DocumentKind | undefined> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(sniffedBytes), 0, sniffedBytes, 0);
    return documentKind(path, buffer.toString('utf8', 0, bytesRead));
  } finally {
    await file.close();
  }
}

/** How `extends:` and `base:` find files: presets in the extension, everything else beside the file that names it. */
export function fileLoader(presetsFolder: string): LoadText {
  return textLoader({
    presetsFolder,
    besides: (from, reference) => (isAbsolute(reference) ? reference : resolve(dirname(from), reference)),
    readText: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  });
}
