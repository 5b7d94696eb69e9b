/** From plain values to a resolved configuration and every finding about them, all collected in one pass. */
import { fieldCatalogue, keysOf, type FieldRow } from './fieldCatalogue.ts';
import type { Suggestion } from './diagnostic.ts';
import { show, splitPath, type Finding } from './finding.ts';
import { nearest } from './nearest.ts';
import { paperFindings } from './paperLint.ts';
import { isPlainMap, valueAt, withoutKey, withValue, type PlainMap } from './plainValues.ts';
import { relationFindings, sizeFindings } from './relations.ts';
import { resolveConfig } from './resolve.ts';
import { configSchema, type Config, type ResolvedConfig } from './schema.ts';
import type { KeyPath } from './yamlDocument.ts';

export interface Validation {
  /** Only when nothing is wrong. */
  config?: ResolvedConfig;
  /** The configuration with defaults in place of what is wrong: for hints while a text is being written. */
  tentative?: ResolvedConfig;
  findings: Finding[];
}

type Issue = NonNullable<ReturnType<typeof configSchema.safeParse>['error']>['issues'][number];

/** Rounds of removing faulty keys: removing one can uncover another, at most once per level. */
const maxRounds = 4;

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
      for (const finding of findingsOf(issue, value)) {
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
  const written = (path: string): boolean => valueAt(input, splitPath(path)) !== undefined;
  findings.push(...[...relationFindings(tentative, written), ...paperFindings(tentative)].filter(untouched));
  const valid = !findings.some((finding) => finding.severity === 'error');
  return valid ? { config: tentative, tentative, findings } : { tentative, findings };
}

function findingsOf(issue: Issue, value: unknown): Finding[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  const row = rowAbove(path);
  if (!row) {
    return [
      {
        severity: 'error',
        code: 'invalidValue',
        paths: [[]],
        part: 'value',
        message: `A configuration must be a map of keys to values, got ${show(value)}.`,
        remedy: 'Start with `method: simdino`.',
        suggestions: [],
      },
    ];
  }
  const got = valueAt(value, path);
  if (got === undefined) return [missingKey(row)];
  if (got === null) return [missingValue(row)];
  return [invalidValue(row, path, got)];
}

function unknownKey(section: KeyPath, key: string): Finding {
  const sectionPath = section.join('.');
  const keys = keysOf(sectionPath);
  const meant = nearest(key, keys);
  const elsewhere = meant === undefined ? keyElsewhere(key) : undefined;
  const guess = meant !== undefined ? `\`${meant}\`` : elsewhere !== undefined ? `\`${elsewhere}\`` : undefined;
  const where = sectionPath === '' ? 'the top level' : sectionPath;
  return {
    severity: 'error',
    code: 'unknownKey',
    paths: [[...section, key]],
    part: 'key',
    message: `\`${[...section, key].join('.')}\` is not a key of a configuration.`,
    remedy: `${guess ? `Did you mean ${guess}? ` : ''}Keys of ${where}: ${keys.join(', ')}.`,
    suggestions: [
      ...(meant !== undefined ? [{ kind: 'rename', to: meant } as const] : []),
      ...(elsewhere !== undefined ? [{ kind: 'move', to: elsewhere } as const] : []),
      { kind: 'remove' },
    ],
  };
}

/** The one key of this name in another section, if there is exactly one. */
function keyElsewhere(key: string): string | undefined {
  const rows = [...fieldCatalogue().values()].filter((row) => row.path.includes('.') || row.type !== 'section');
  const lastPart = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
  const meant = nearest(key, [...new Set(rows.map((row) => lastPart(row.path)))]);
  const places = rows.filter((row) => lastPart(row.path) === meant);
  return places.length === 1 ? places[0]?.path : undefined;
}

function missingKey(row: FieldRow): Finding {
  return {
    severity: 'error',
    code: 'missingKey',
    paths: [splitPath(row.path)],
    part: 'key',
    message: `\`${row.path}\` is missing.`,
    remedy:
      row.type === 'section' ? 'Add the section, for example `data: { kind: fashion-mnist }`.' : `Add ${row.expected}.`,
    suggestions: row.path === 'data' ? [{ kind: 'set', path: 'data.kind', value: 'fashion-mnist' }] : [],
  };
}

function missingValue(row: FieldRow): Finding {
  return {
    severity: 'error',
    code: 'missingValue',
    paths: [splitPath(row.path)],
    part: 'key',
    message: `\`${row.path}\` has no value.`,
    remedy: `Give ${row.expected}, or remove the line.`,
    suggestions: [...defaultSuggestion(row), { kind: 'remove' }],
  };
}

function invalidValue(row: FieldRow, path: KeyPath, got: unknown): Finding {
  const inside = path.length > splitPath(row.path).length;
  const meant = typeof got === 'string' ? nearest(got, row.choices ?? []) : undefined;
  const remedies = [
    meant !== undefined ? `Did you mean \`${meant}\`?` : '',
    meant === undefined && row.default !== undefined ? `The default is ${show(row.default)}.` : '',
  ];
  return {
    severity: 'error',
    code: 'invalidValue',
    paths: [path],
    part: 'value',
    message: `\`${row.path}\` must be ${row.expected}, got ${show(got)}.`,
    remedy: remedies.filter(Boolean).join(' '),
    suggestions: [
      ...(meant !== undefined ? [{ kind: 'set', path: row.path, value: meant } as const] : []),
      ...(inside || row.default === meant ? [] : defaultSuggestion(row)),
    ],
  };
}

function defaultSuggestion(row: FieldRow): Suggestion[] {
  return row.default === undefined ? [] : [{ kind: 'set', path: row.path, value: row.default }];
}

/** The row of the deepest key in a path: a place in a list belongs to the list's key. */
function rowAbove(path: KeyPath): FieldRow | undefined {
  for (let length = path.length; length > 0; length--) {
    const row = fieldCatalogue().get(path.slice(0, length).join('.'));
    if (row) return row;
  }
  return undefined;
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
