/** Says what zod found wrong in the words of the schema: the key, what was expected, what came, and the remedy. */
import type { z } from 'zod';
import type { Suggestion } from './diagnostic.ts';
import { keysOf, type FieldRow } from './fieldCatalogue.ts';
import { show, showRounded, splitPath, type Finding } from './finding.ts';
import { nearest } from './nearest.ts';
import { valueAt } from './plainValues.ts';
import type { KeyPath } from './yamlDocument.ts';

/** What a document is made of, for the words of its findings. */
export interface Vocabulary {
  /** 'a configuration' */
  noun: string;
  /** What to write into an empty document. */
  start: string;
  catalogue: ReadonlyMap<string, FieldRow>;
}

type Issue = z.core.$ZodIssue;

/** One finding for each thing that a zod issue complains about. */
export function findingsOf(issue: Issue, value: unknown, vocabulary: Vocabulary): Finding[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, vocabulary));
  const row = rowAbove(path, vocabulary.catalogue);
  if (!row) {
    return [
      {
        severity: 'error',
        code: 'invalidValue',
        paths: [[]],
        part: 'value',
        message: `${capitalised(vocabulary.noun)} must be a map of keys to values, got ${show(value)}.`,
        remedy: `Start with \`${vocabulary.start}\`.`,
        suggestions: [],
      },
    ];
  }
  const got = valueAt(value, path);
  if (got === undefined) return [missingKey(row)];
  if (got === null) return [missingValue(row)];
  return [invalidValue(row, path, got)];
}

function unknownKey(section: KeyPath, key: string, { noun, catalogue }: Vocabulary): Finding {
  const sectionPath = section.join('.');
  const keys = keysOf(sectionPath, catalogue);
  const spaceless = spacelessKey(key, keys);
  if (spaceless) return unparted([...section, key], spaceless, noun);
  const meant = nearest(key, keys);
  const elsewhere = meant === undefined ? keysElsewhere(key, catalogue) : [];
  const guess = (meant === undefined ? elsewhere : [meant]).map((name) => `\`${name}\``).join(' or ');
  const where = sectionPath === '' ? 'the top level' : sectionPath;
  return {
    severity: 'error',
    code: 'unknownKey',
    paths: [[...section, key]],
    part: 'key',
    message: `\`${[...section, key].join('.')}\` is not a key of ${noun}.`,
    remedy: `${guess ? `Did you mean ${guess}? ` : ''}Keys of ${where}: ${keys.join(', ')}.`,
    suggestions: [
      ...(meant !== undefined ? [{ kind: 'rename', to: meant } as const] : []),
      ...elsewhere.map((to) => ({ kind: 'move', to }) as const),
      { kind: 'remove' },
    ],
  };
}

/** `eps:0.3` is one word to YAML. */
function spacelessKey(key: string, keys: readonly string[]): { name: string; value: string } | undefined {
  const name = keys.find((candidate) => key.startsWith(`${candidate}:`));
  return name === undefined ? undefined : { name, value: key.slice(name.length + 1) };
}

function unparted(path: KeyPath, { name, value }: { name: string; value: string }, noun: string): Finding {
  return {
    severity: 'error',
    code: 'unknownKey',
    paths: [path],
    part: 'key',
    message: `\`${path.join('.')}\` is not a key of ${noun}: a space is missing behind the colon.`,
    remedy: `Write \`${name}: ${value}\`.`,
    suggestions: [{ kind: 'rename', to: `${name}: ${value}` }, { kind: 'remove' }],
  };
}

const mostPlaces = 3;

/** The keys of this name in other sections; a name that is nearly right must be the only one, one that many have is none. */
function keysElsewhere(key: string, catalogue: Vocabulary['catalogue']): string[] {
  const rows = [...catalogue.values()].filter((row) => row.path.includes('.') || row.type !== 'section');
  const lastPart = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
  const meant = nearest(key, [...new Set(rows.map((row) => lastPart(row.path)))]);
  const places = rows.filter((row) => lastPart(row.path) === meant).map((row) => row.path);
  return places.length <= (meant === key ? mostPlaces : 1) ? places : [];
}

function missingKey(row: FieldRow): Finding {
  return {
    severity: 'error',
    code: 'missingKey',
    paths: [splitPath(row.path)],
    part: 'key',
    message: `\`${row.path}\` is missing.`,
    remedy: row.type === 'section' ? 'Add the section, for example `data: { kind: cifar10 }`.' : `Add ${row.expected}.`,
    suggestions: row.path === 'data' ? [{ kind: 'set', path: 'data.kind', value: 'cifar10' }] : [],
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
  const number = meant === undefined && !inside ? nearestNumber(row, got) : undefined;
  const remedies = [
    meant !== undefined ? `Did you mean \`${meant}\`?` : '',
    number !== undefined ? `The nearest is ${number}.` : '',
    meant === undefined && row.default !== undefined ? `The default is ${showRounded(row.default)}.` : '',
  ];
  return {
    severity: 'error',
    code: 'invalidValue',
    paths: [path],
    part: 'value',
    message: `\`${row.path}\` must be ${row.expected}, got ${show(got)}.`,
    remedy: remedies.filter(Boolean).join(' '),
    suggestions: [
      ...[row.type === 'boolean' && meant !== undefined ? meant === 'true' : (meant ?? number)]
        .filter((value) => value !== undefined)
        .map((value) => ({ kind: 'set', path: row.path, value }) as const),
      ...(inside || row.default === (meant ?? number) ? [] : defaultSuggestion(row)),
    ],
  };
}

/** The number closest to what was written that the key takes; undefined where none is closest, or nothing like a number was. */
function nearestNumber(row: FieldRow, got: unknown): number | undefined {
  if (!['integer', 'number', 'numberOrChoice'].includes(row.type)) return undefined;
  const written = typeof got === 'string' && got.trim() !== '' ? Number(got) : got;
  if (typeof written !== 'number' || !Number.isFinite(written)) return undefined;
  const { minimum = -Infinity, maximum = Infinity, above = -Infinity, below = Infinity } = row;
  const whole = row.type === 'integer' ? Math.round(written) : written;
  const closest = Math.min(Math.max(whole, row.type === 'integer' && above >= minimum ? above + 1 : minimum), maximum);
  return closest > above && closest < below ? closest : undefined;
}

function defaultSuggestion(row: FieldRow): Suggestion[] {
  return row.default === undefined ? [] : [{ kind: 'set', path: row.path, value: row.default }];
}

/** The row of the deepest key in a path: a place in a list belongs to the list's key. */
function rowAbove(path: KeyPath, catalogue: Vocabulary['catalogue']): FieldRow | undefined {
  for (let length = path.length; length > 0; length--) {
    const row = catalogue.get(path.slice(0, length).join('.'));
    if (row) return row;
  }
  return undefined;
}

function capitalised(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
