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

/** The presets of the paper's tables and figures; `name` is what `extends:` calls them. */
export function paperFiles(): { name: string; path: string; text: string }[] {
  return readdirSync(join(configsFolder, 'paper'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => {
      const name = `paper/${file.replaceAll('\\', '/').replace(/\.yaml$/, '')}`;
      const path = join(configsFolder, 'paper', file);
      return { name, path, text: readFileSync(path, 'utf8') };
    });
}

export function yamlFiles(folder = configsFolder): { path: string; text: string }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ path: join(folder, name), text: readFileSync(join(folder, name), 'utf8') }));
}
