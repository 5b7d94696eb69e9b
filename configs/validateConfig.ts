/** From plain values to a resolved configuration and every finding about them, all collected in one pass. */
import { fieldCatalogue } from './fieldCatalogue.ts';
import { splitPath, type Finding } from './finding.ts';
import { paperFindings } from './paperLint.ts';
import { isPlainMap, valueAt, withoutKey, withValue, type PlainMap } from './plainValues.ts';
import { relationFindings, sizeFindings } from './relations.ts';
import { resolveConfig } from './resolve.ts';
import { findingsOf, type Vocabulary } from './schemaFindings.ts';
import { configSchema, type Config, type ResolvedConfig } from './schema.ts';
import type { KeyPath } from './yamlDocument.ts';

export interface Validation {
  /** Only when nothing is wrong. */
  config?: ResolvedConfig;
  /** The configuration with defaults in place of what is wrong: for hints while a text is being written. */
  tentative?: ResolvedConfig;
  findings: Finding[];
}

/** Rounds of removing faulty keys: removing one can uncover another, at most once per level. */
const maxRounds = 4;

const vocabulary: Vocabulary = { noun: 'a configuration', start: 'method: simdino', catalogue: fieldCatalogue() };

export function validateConfig(input: unknown): Validation {
  const findings: Finding[] = [];
  const faulty: KeyPath[] = [];
  let value = withoutEmptySections(input ?? {});
  let config: Config | undefined;
  for (let round = 0; round < maxRounds && !config; round++) {
    const parsed = configSchema.safeParse(value);
    if (parsed.success) {
      config = parsed.data;
      break;
    }
    for (const issue of parsed.error.issues) {
      for (const finding of findingsOf(issue, value, vocabulary)) {
        const path = finding.paths[0] ?? [];
        if (faulty.some((known) => isWithin(path, known))) continue;
        findings.push(finding);
        faulty.push(path);
      }
    }
    value = faulty.reduce(withoutKey, value);
    // A stand-in for what has no default, so that the other keys are still checked.
    if (valueAt(value, ['data', 'kind']) === undefined) value = withValue(value, ['data', 'kind'], 'synthetic');
  }
  if (!config) return { findings };

  const untouched = (finding: Finding): boolean =>
    !finding.paths.some((path) => faulty.some((known) => isWithin(path, known) || isWithin(known, path)));
  const sizes = sizeFindings(config);
  findings.push(...sizes.filter(untouched));
  if (sizes.length > 0) return { findings };
  const tentative = resolveConfig(config);
  findings.push(
    ...[...relationFindings(tentative, (path) => isChosen(tentative, input, path)), ...paperFindings(tentative)].filter(
      untouched,
    ),
  );
  const valid = !findings.some((finding) => finding.severity === 'error');
  return valid ? { config: tentative, tentative, findings } : { tentative, findings };
}

let defaults: unknown;

/** Whether somebody wrote a key with another value than its default: a resolved configuration writes them all. */
function isChosen(config: ResolvedConfig, input: unknown, path: string): boolean {
  const keys = splitPath(path);
  defaults ??= configSchema.parse({ data: { kind: 'synthetic' } });
  const byDefault = JSON.stringify(valueAt(defaults, keys));
  return valueAt(input, keys) !== undefined && JSON.stringify(valueAt(config, keys)) !== byDefault;
}

/** A section that holds only comments so far reads as null: it is as good as not written. */
function withoutEmptySections(value: unknown, prefix = ''): unknown {
  if (!isPlainMap(value)) return value;
  const kept: PlainMap = {};
  for (const [key, child] of Object.entries(value)) {
    const path = prefix + key;
    const section = fieldCatalogue().get(path)?.type === 'section';
    if (section && child === null && path !== 'data') continue;
    // Defined rather than assigned: a key named __proto__ is a mistake to report, not a prototype to set.
    Object.defineProperty(kept, key, {
      value: section ? withoutEmptySections(child, `${path}.`) : child,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return kept;
}

function isWithin(path: KeyPath, outer: KeyPath): boolean {
  return outer.length <= path.length && outer.every((step, index) => String(step) === String(path[index]));
}
