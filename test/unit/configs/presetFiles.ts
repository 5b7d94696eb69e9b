/** The shipped configurations, read from the repository. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { textLoader, type LoadText } from '../../../configs/presets.ts';

export const configsFolder = fileURLToPath(new URL('../../../configs', import.meta.url));

/** `besides` as the runtime and the extension have it. */
export const loadFromRepository: LoadText = textLoader({
  presetsFolder: configsFolder,
  besides: (fromPath, reference) => resolve(dirname(fromPath), reference),
  readText: (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined),
});

/** Only presets, and files given here by name. */
export function loadFrom(files: Record<string, string>): LoadText {
  return textLoader({
    presetsFolder: configsFolder,
    besides: (_fromPath, reference) => reference,
    readText: (path) =>
      files[path] ?? (existsSync(path) && path.endsWith('.yaml') ? readFileSync(path, 'utf8') : undefined),
  });
}

export function yamlFiles(folder = configsFolder): { path: string; text: string }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ path: join(folder, name), text: readFileSync(join(folder, name), 'utf8') }));
}
