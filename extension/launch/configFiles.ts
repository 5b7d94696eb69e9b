import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { textLoader, type LoadText } from '../../configs/presets.ts';

/** Only the beginning of a file is looked at to tell what it is. */
const sniffedBytes = 16 * 1024;

export type ConfigKind = 'config' | 'sweep';

/** What a YAML file is, by its top-level keys; undefined when it is neither a configuration nor a sweep. */
export async function kindOfYaml(path: string): Promise<ConfigKind | undefined> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(sniffedBytes), 0, sniffedBytes, 0);
    return kindOfText(buffer.toString('utf8', 0, bytesRead));
  } finally {
    await file.close();
  }
}

/**
 * A sweep has a `base` and axes or cells; a configuration extends another, or names a method, or has data beside a model,
 * a loss or a training section.
 */
export function kindOfText(text: string): ConfigKind | undefined {
  const keys = new Set([...text.matchAll(/^([A-Za-z]\w*)[ \t]*:/gm)].map((match) => match[1]));
  if (keys.has('base') && (keys.has('axes') || keys.has('cells'))) return 'sweep';
  if (/^method[ \t]*:[ \t]*['"]?sim/m.test(text)) return 'config';
  const sections = ['loss', 'train', 'crops', 'teacher', 'optim', 'projector', 'data', 'model'];
  const found = sections.filter((key) => keys.has(key)).length;
  return found >= 2 || (keys.has('extends') && found >= 1) ? 'config' : undefined;
}

/** How `extends:` and `base:` find files: presets in the extension, everything else beside the file that names it. */
export function fileLoader(presetsFolder: string): LoadText {
  return textLoader({
    presetsFolder,
    besides: (from, reference) => (isAbsolute(reference) ? reference : resolve(dirname(from), reference)),
    readText: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
  });
}
