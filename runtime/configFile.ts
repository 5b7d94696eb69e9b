/** Configurations as files: presets by name, `extends:` chains, and values set on the command line. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { setYamlValue } from '../configs/editYaml.ts';
import { formatDiagnostics, type Diagnostic } from '../configs/diagnostic.ts';
import { isPreset, textLoader } from '../configs/presets.ts';
import { readConfig } from '../configs/readConfig.ts';
import type { ResolvedConfig } from '../configs/schema.ts';
import { errors } from '../protocol/errors.ts';
import { installationFolder } from './installation.ts';

/** The presets that ship with the product. */
export const presetsFolder = join(installationFolder, 'configs');

export interface ConfigFile {
  config: ResolvedConfig;
  /** Absolute path of the file. */
  path: string;
  /** The text with the command line's values written into it. */
  text: string;
  /** Warnings; errors are thrown. */
  warnings: Diagnostic[];
}

/**
 * Reads a configuration.
 *
 * @param pathOrPreset path of a YAML file, or a preset's name with or without `.yaml`
 * @param overrides `{'loss.eps': '0.3'}`; values are YAML
 * @throws configMissing, configInvalid with every diagnostic, caret included
 */
export function readConfigFile(pathOrPreset: string, overrides: Record<string, string> = {}): ConfigFile {
  const path = locateConfigFile(pathOrPreset);
  let text = readFileSync(path, 'utf8');
  for (const [key, value] of Object.entries(overrides)) text = setYamlValue(text, key, parse(value) as unknown).text;

  const { config, diagnostics } = readConfig(text, { path, load: loadReference });
  const problems = diagnostics.filter(({ severity }) => severity === 'error');
  if (!config || problems.length > 0) {
    const changes = Object.entries(overrides).map(([key, value]) => `--set ${key}=${value}`);
    const what = [path, ...changes].join(' ');
    throw errors.configInvalid(what, formatDiagnostics(problems, text, path));
  }
  return { config, path, text, warnings: diagnostics.filter(({ severity }) => severity !== 'error') };
}

/** How `extends:` and `base:` find what they name. */
export const loadReference = textLoader({
  presetsFolder,
  besides: (fromPath, reference) => resolve(dirname(fromPath), reference),
  readText: (path) => (isFile(path) ? readFileSync(path, 'utf8') : undefined),
});

/** The absolute path of a file given on the command line, or of a preset by its name. @throws configMissing */
export function locateConfigFile(pathOrPreset: string): string {
  const found = findConfigFile(pathOrPreset);
  if (found === undefined) throw errors.configMissing(resolve(pathOrPreset));
  return found;
}

/** The same; undefined where there is neither. */
export function findConfigFile(pathOrPreset: string): string | undefined {
  const name = pathOrPreset.replace(/\.ya?ml$/, '');
  const candidates = [resolve(pathOrPreset), ...(isPreset(name) ? [join(presetsFolder, `${name}.yaml`)] : [])];
  return candidates.find(isFile);
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

/** `['loss.eps=0.3']` as a record. @throws usage for an entry without `=` */
export function parseOverrides(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      if (at < 1) throw errors.usage(`--set takes KEY=VALUE, got '${entry}'.`);
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
