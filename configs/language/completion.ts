/** What can be written at a place of a half-typed text: keys with their meaning, values with where they come from. */
import { isMap, isScalar, parseDocument, visit, type Pair } from 'yaml';
import { documentKind, type DocumentKind } from '../documentKind.ts';
import { yamlInline } from '../editYaml.ts';
import { keysOf, paperValue, type FieldRow } from '../fieldCatalogue.ts';
import { showRounded } from '../finding.ts';
import { presets } from '../presets.ts';
import type { Method } from '../schema.ts';
import { entriesOf, keyText, type KeyPath } from '../yamlDocument.ts';
import { catalogueFor, rowAt, valueRows, type Catalogue } from './catalogues.ts';
import { fieldMarkdown } from './hover.ts';

export interface Completion {
  label: string;
  kind: 'section' | 'key' | 'value';
  /** What replaces text[start, end). */
  insert: string;
  start: number;
  end: number;
  detail: string;
  markdown: string;
  /** Whether values should be offered right after it is taken. */
  more: boolean;
}

/** Stands for the word being typed: no text holds it. */
const cursor = '__cursor__';

export interface CompletionOptions {
  /** The method that the text is about: whose values of the paper are offered. */
  method?: Method | undefined;
  /** What `extends:` and `base:` can name besides the presets, asked for there alone. */
  references?: () => readonly Reference[];
}

export interface Reference {
  name: string;
  /** What it is, in a word or two. */
  detail: string;
}

export function completions(text: string, offset: number, path: string, options: CompletionOptions = {}): Completion[] {
  const kind = documentKind(path, text);
  const place = kind && placeOf(text, offset);
  if (!kind || !place) return [];
  const shared = { start: place.start, end: place.end };
  if (place.part === 'value') {
    const row = rowAt(catalogueFor(kind), kind, place.path);
    return valuesOf(row, place.path, kind, options).map((value) => ({
      ...value,
      ...shared,
      kind: 'value',
      more: false,
    }));
  }
  return keysAt(kind, place).map(({ key, row }) => {
    const section = row.type === 'section';
    const below = section && !place.flow ? `:\n${' '.repeat(place.column + 2)}` : ': ';
    return {
      label: key,
      kind: section ? ('section' as const) : ('key' as const),
      insert: place.hasColon ? key : `${key}${below}`,
      ...shared,
      detail: row.expected,
      markdown: fieldMarkdown(row, options.method),
      more: row.choices !== undefined || row.path === 'extends' || row.path === 'base',
    };
  });
}

interface Place {
  part: 'key' | 'value';
  /** Of the key for a value, of the section for a key. */
  path: KeyPath;
  /** Keys that the section has already. */
  taken: string[];
  start: number;
  end: number;
  column: number;
  /** Inside `{ }` or `[ ]`. */
  flow: boolean;
  hasColon: boolean;
}

/**
 * Reads the text with the word at the cursor replaced by a stand-in: as a value, and where that makes no sense as a key.
 * The parser then tells where the stand-in is, whatever else is half-typed around it.
 */
function placeOf(text: string, offset: number): Place | undefined {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const nextBreak = text.indexOf('\n', offset);
  const lineEnd = nextBreak === -1 ? text.length : nextBreak;
  const before = /[\w./+-]*$/.exec(text.slice(lineStart, offset))?.[0] ?? '';
  const after = /^[\w./+-]*/.exec(text.slice(offset, lineEnd))?.[0] ?? '';
  const start = offset - before.length;
  const end = offset + after.length;
  const head = text.slice(lineStart, start);
  if (isInComment(head) || /["'][^"']*$/.test(head.replace(/(["']).*?\1/g, ''))) return undefined;
  const hasColon = /^[ \t]*:/.test(text.slice(end, lineEnd));
  const asValue = /(?:^|[\s{[,])[^\s#{}[\],]+:[ \t]+$|[[,][ \t]*$|-[ \t]+$/.test(head);
  const attempts = asValue ? [cursor, `${cursor}: `] : [hasColon ? cursor : `${cursor}: `, cursor];
  for (const standIn of attempts) {
    const found = findStandIn(text.slice(0, start) + standIn + text.slice(end));
    if (found) return { ...found, start, end, column: start - lineStart, hasColon };
  }
  return undefined;
}

function findStandIn(text: string): Pick<Place, 'part' | 'path' | 'taken' | 'flow'> | undefined {
  const document = parseDocument(text, { merge: true, prettyErrors: false, logLevel: 'silent' });
  let found: Pick<Place, 'part' | 'path' | 'taken' | 'flow'> | undefined;
  visit(document, {
    Scalar(role, node, ancestors) {
      if (typeof node.value !== 'string' || !node.value.split(/\s/).includes(cursor)) return undefined;
      const path: (string | number)[] = [];
      ancestors.forEach((ancestor, index) => {
        const next = ancestors[index + 1] ?? node;
        if (isPairLike(ancestor) && (role !== 'key' || index < ancestors.length - 1)) path.push(keyText(ancestor));
        else if (ancestor !== null && 'items' in ancestor && !isMap(ancestor)) {
          path.push(ancestor.items.indexOf(next));
        }
      });
      const section = ancestors.findLast((ancestor) => isMap(ancestor));
      const flow = ancestors.some((ancestor) => ancestor !== null && 'flow' in ancestor && ancestor.flow);
      const taken = entriesOf(section)
        .map(keyText)
        .filter((key) => key !== cursor);
      // A lone word at the top, or below a section, is a key that has no colon yet.
      const loneWord =
        role !== 'key' && !isPairLike(ancestors.at(-1)) && path.every((step) => typeof step === 'string');
      if (role === 'key') found = { part: 'key', path, taken, flow };
      else found = { part: loneWord ? 'key' : 'value', path, taken, flow };
      return visit.BREAK;
    },
  });
  return found;
}

function isPairLike(node: unknown): node is Pair {
  return typeof node === 'object' && node !== null && 'key' in node && isScalar(node.key);
}

function isInComment(head: string): boolean {
  return /(?:^|\s)#/.test(head.replace(/"[^"]*"|'[^']*'/g, ''));
}

function keysAt(kind: DocumentKind, place: Place): { key: string; row: FieldRow }[] {
  const first = place.path[0];
  if (kind === 'sweep' && (first === 'axes' || first === 'set' || first === 'cells')) {
    return valueRows()
      .filter((row) => !place.taken.includes(row.path) && row.path !== 'seed')
      .map((row) => ({ key: row.path, row }));
  }
  const catalogue: Catalogue = catalogueFor(kind);
  const section = place.path.join('.');
  return keysOf(section, catalogue)
    .filter((key) => !place.taken.includes(key))
    .flatMap((key) => {
      const row = catalogue.get(section === '' ? key : `${section}.${key}`);
      return row ? [{ key, row }] : [];
    });
}

function valuesOf(
  row: FieldRow | undefined,
  path: KeyPath,
  kind: DocumentKind,
  { method, references = () => [] }: CompletionOptions,
): Pick<Completion, 'label' | 'insert' | 'detail' | 'markdown'>[] {
  if (!row) return [];
  const value = (text: string, detail: string) => ({
    label: text,
    insert: text,
    detail,
    markdown: fieldMarkdown(row, method),
  });
  if (row.path === 'extends' || row.path === 'base')
    return [...presets.map((name) => ({ name, detail: 'preset' })), ...references()].map(({ name, detail }) =>
      value(name, detail),
    );
  const offered = new Map<string, string>();
  for (const choice of row.choices ?? []) offered.set(choice, '');
  // In a sweep's axis the list is written already; the default of a list would be a list within it.
  const inList = path.some((step) => typeof step === 'number');
  if (row.default !== undefined && row.type !== 'section' && !(inList && kind === 'config')) {
    const text = typeof row.default === 'number' ? showRounded(row.default) : yamlInline(row.default);
    offered.set(text, 'default');
  }
  // What the paper gives for other circumstances, `0.002 (for a batch of 1024)`, is nothing to write here as it stands.
  const paper = paperValue(row, method) ?? '';
  const published = / \(for /.test(paper) ? undefined : /^\[?-?[\d.]+(?:e-?\d+)?(?:,\s*[\d.]+)*\]?/.exec(paper)?.[0];
  if (published !== undefined && !inList && isWhole(published)) {
    const known = [...offered.keys()].find((text) => sameValue(text, published));
    offered.set(known ?? published, known === undefined ? 'paper' : 'default, paper');
  }
  return [...offered].map(([text, detail]) => value(text, detail));
}

function isWhole(text: string): boolean {
  return text.startsWith('[') === text.endsWith(']');
}

function sameValue(a: string, b: string): boolean {
  const numbers = (text: string): string => JSON.stringify(text.match(/[\d.]+(?:e-?\d+)?/g)?.map(Number));
  return numbers(a) === numbers(b);
}
