/** From a YAML text to a resolved configuration and everything that is to be said about the text. */
import { hasErrors, sentence, type Diagnostic } from './diagnostic.ts';
import type { Finding } from './finding.ts';
import { nearest } from './nearest.ts';
import { isPlainMap, mergeDeep, valueAt, withoutKey } from './plainValues.ts';
import { presets, type LoadText } from './presets.ts';
import type { ResolvedConfig } from './schema.ts';
import { validateConfig, type Validation } from './validateConfig.ts';
import { locate, placeOf, readYaml, type KeyPath, type YamlText } from './yamlDocument.ts';

export interface ReadOptions {
  /** Path of the text, as messages show it. */
  path: string;
  load: LoadText;
  /** Remarks that cite the paper, its authors' code or its users; on unless told. */
  paperLint?: boolean;
}

export interface ReadConfig {
  /** Only when there is no error. */
  config?: ResolvedConfig;
  /** With defaults in place of what is wrong: for hints while a text is being written. */
  tentative?: ResolvedConfig;
  /** All values as written, those of extended files included. */
  merged: unknown;
  /** The values of what `extends:` names; undefined without it. */
  base: unknown;
  yaml: YamlText;
  diagnostics: Diagnostic[];
}

export function readConfig(text: string, options: ReadOptions): ReadConfig {
  return read(text, options, [options.path]);
}

function read(text: string, options: ReadOptions, chain: readonly string[]): ReadConfig {
  const yaml = readYaml(text);
  const diagnostics = [...yaml.diagnostics];
  const reference = valueAt(yaml.value, ['extends']);
  const { value: base, diagnostic } =
    typeof reference === 'string' && reference !== ''
      ? readReference(reference, 'extends', yaml, options, chain)
      : ({} as Reference);
  if (diagnostic) diagnostics.push(diagnostic);
  const own = yaml.value ?? {};
  const merged = base === undefined || !isPlainMap(own) ? own : mergeDeep(base, own);
  // A text that can't be read at all has said so; its values are unknown rather than missing.
  const { findings, config, tentative }: Validation =
    yaml.value === undefined ? { findings: [] } : isSweep(own) ? { findings: [sweepFinding] } : validateConfig(merged);
  const baseUnknown = diagnostic !== undefined;
  const brokenFrom = Math.min(
    ...yaml.diagnostics.filter(({ severity }) => severity === 'error').map(({ line }) => line),
  );
  for (const finding of findings) {
    if (finding.code === 'paper' && options.paperLint === false) continue;
    // Behind a syntax error keys and values are guesses.
    if (finding.code === 'missingKey' && (baseUnknown || brokenFrom < Infinity)) continue;
    // What the extended file alone is to blame for is said there, or by `extendsInvalid`.
    const own = finding.paths.some((path) => locate(yaml, path) !== undefined);
    if (!own && (diagnostic?.code === 'extendsInvalid' || (base !== undefined && finding.severity !== 'error')))
      continue;
    const placed = positioned(finding, yaml);
    if (placed.line < brokenFrom && (placed.path !== '' || brokenFrom === Infinity)) diagnostics.push(placed);
  }
  diagnostics.sort((a, b) => a.start - b.start);
  return {
    merged,
    base,
    yaml,
    diagnostics,
    ...(config && !hasErrors(diagnostics) ? { config } : {}),
    ...(tentative ? { tentative } : {}),
  };
}

function isSweep(value: unknown): boolean {
  return isPlainMap(value) && 'base' in value && ('axes' in value || 'cells' in value);
}

const sweepFinding: Finding = {
  severity: 'error',
  code: 'invalidValue',
  paths: [['axes'], ['cells']],
  part: 'key',
  message: 'This is a sweep file, not a configuration.',
  remedy: 'Start it with `simdino sweep` or \u201cStart ablation grid\u201d.',
  suggestions: [],
};

export interface Reference {
  /** The values of the file, without its own `extends`. */
  value?: unknown;
  path?: string;
  diagnostic?: Diagnostic;
}

/** Reads the file that `extends:` (or a sweep's `base:`) names; what is wrong with it is said at that key. */
export function readReference(
  reference: string,
  key: 'extends' | 'base',
  yaml: YamlText,
  options: ReadOptions,
  chain: readonly string[] = [options.path],
): Reference {
  const problem = (code: Diagnostic['code'], message: string, remedy: string, meant?: string): Diagnostic => ({
    ...placeOf(yaml, [key]),
    severity: 'error',
    code,
    message,
    remedy,
    path: key,
    keys: [key],
    suggestions: meant === undefined ? [] : [{ kind: 'set', path: key, value: meant }],
  });
  const loaded = options.load(reference, options.path);
  if (!loaded) {
    const meant = nearest(reference, presets);
    const remedy = `${meant ? `Did you mean \`${meant}\`? ` : ''}Presets: ${presets.join(', ')}, and those of the paper\u2019s tables such as paper/table6/official; a path is relative to this file.`;
    const message = `\`${key}: ${reference}\` names no preset and no file.`;
    return { diagnostic: problem('extendsMissing', message, remedy, meant) };
  }
  if (chain.includes(loaded.path)) {
    const message = `Configurations extend each other in a circle: ${[...chain, loaded.path].join(' -> ')}.`;
    return { diagnostic: problem('extendsCycle', message, 'Remove one `extends:`.') };
  }
  const below = read(loaded.text, { ...options, path: loaded.path }, [...chain, loaded.path]);
  const base: Reference = { value: withoutKey(below.merged, ['extends']), path: loaded.path };
  // A base may leave out what its extenders add; anything else that is wrong with it is said here, once.
  const faults = below.diagnostics.filter(({ severity, code }) => severity === 'error' && code !== 'missingKey');
  const first = faults[0];
  if (!first) return base;
  if (first.code === 'extendsCycle')
    return { ...base, diagnostic: problem('extendsCycle', first.message, first.remedy) };
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  const message = `${loaded.path}, line ${first.line}: ${sentence(first)}${more}`;
  return { ...base, diagnostic: problem('extendsInvalid', message, 'Correct that file.') };
}

function isWithin(path: KeyPath, outer: KeyPath): boolean {
  return outer.length <= path.length && outer.every((step, index) => step === path[index]);
}

/** Gives a finding its place: the first of its keys that is written here, else what it extends, else its section. */
export function positioned(finding: Finding, yaml: YamlText): Diagnostic {
  const path = finding.paths.find((candidate) => locate(yaml, candidate)) ?? finding.paths[0] ?? [];
  const inherited = !locate(yaml, path) && locate(yaml, ['extends']) !== undefined && finding.code !== 'missingKey';
  const others = finding.paths
    .filter((other) => other !== path && !isWithin(path, other) && locate(yaml, other)?.pair)
    .map((other) => ({ ...placeOf(yaml, other), path: other.join('.') }));
  return {
    ...placeOf(yaml, inherited ? ['extends'] : path, finding.part),
    severity: finding.severity,
    code: finding.code,
    message: finding.message,
    remedy: finding.remedy,
    path: path.join('.'),
    keys: path,
    ...(others.length > 0 ? { others } : {}),
    ...(finding.source === undefined ? {} : { source: finding.source }),
    suggestions: finding.suggestions,
  };
}
