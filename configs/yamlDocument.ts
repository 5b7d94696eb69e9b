/** A YAML text as values with positions; half-typed texts keep as much as can be read. */
import {
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Alias,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import type { Diagnostic, Place } from './diagnostic.ts';
import { asSentence, syntaxSentence } from './syntaxSentence.ts';

export type KeyPath = readonly (string | number)[];

export interface YamlText {
  text: string;
  document: Document.Parsed;
  /** The whole as plain values; undefined when the text can't be read at all. */
  value: unknown;
  /** Syntax errors, positioned. */
  diagnostics: Diagnostic[];
  place(start: number, end: number): Place;
}

/** Where a key and its value are; `throughAlias` when they are written elsewhere and used here by `*name` or `<<`. */
export interface Located {
  key?: Node;
  value?: Node;
  pair?: Pair<Node, Node | null>;
  throughAlias: boolean;
}

const aliasLimit = 1000;
/** One slip can make the parser stumble over every line below: the first errors say it all. */
const maxSyntaxErrors = 5;

export function readYaml(text: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { merge: true, lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const place = (start: number, end: number): Place => {
    const { line, col } = lines.linePos(Math.min(start, text.length));
    return { start, end: Math.max(start, end), line: Math.max(1, line), column: Math.max(1, col) };
  };
  // The parser may say two things about one place: the first is the nearer to what is wrong.
  const places = new Set<number>();
  const errors = document.errors.filter(({ pos }) => places.size < places.add(pos[0]).size);
  const diagnostics = [...errors.slice(0, maxSyntaxErrors), ...document.warnings].map((error): Diagnostic => {
    const start = Math.min(error.pos[0], text.length);
    const lineEnd = text.slice(start).search(/\r?\n/);
    const end = Math.min(Math.max(error.pos[1], start + 1), lineEnd > 0 ? start + lineEnd : text.length);
    return {
      ...place(start, end),
      severity: error.name === 'YAMLWarning' ? 'warning' : 'error',
      code: 'syntax',
      ...syntaxSentence(error, text),
      path: '',
      keys: [],
      suggestions: [],
    };
  });
  diagnostics.push(...unresolvedAliases(document).map((alias) => aliasDiagnostic(alias, place)));
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: aliasLimit });
  } catch (error) {
    // An unresolved alias has its diagnostic already; a bomb of nested aliases is the other fault that can show here.
    if (diagnostics.length === 0) {
      diagnostics.push({
        ...place(0, text.length),
        severity: 'error',
        code: 'syntax',
        message: asSentence(error instanceof Error ? error.message : String(error)),
        remedy: 'Use fewer aliases.',
        path: '',
        keys: [],
        suggestions: [],
      });
    }
  }
  return { text, document, value, diagnostics, place };
}

/** Finds a key by its path, through aliases and merge keys. */
export function locate(yaml: YamlText, path: KeyPath): Located | undefined {
  let found: Located = { throughAlias: false, ...(yaml.document.contents ? { value: yaml.document.contents } : {}) };
  for (const step of path) {
    const next = stepInto(yaml, found, step);
    if (!next) return undefined;
    found = next;
  }
  return found;
}

/** The place of the deepest part of a path that exists, its value if it has one, else its key. */
export function placeOf(yaml: YamlText, path: KeyPath, part: 'key' | 'value' = 'value'): Place {
  for (let length = path.length; length > 0; length--) {
    const found = locate(yaml, path.slice(0, length));
    if (!found) continue;
    // An ancestor is marked by its key: its value can be half the file.
    const preferred = length === path.length && part === 'value' ? [found.value, found.key] : [found.key, found.value];
    for (const node of preferred) {
      const range = node && rangeOf(node);
      if (range && range[1] > range[0]) return yaml.place(range[0], range[1]);
    }
  }
  return firstContent(yaml);
}

/** Start and end of a node as written, without trailing blanks and comments. */
export function rangeOf(node: Node): [number, number] | undefined {
  return node.range ? [node.range[0], node.range[1]] : undefined;
}

/** Key and value nodes of a map, in the order written; merge keys are not expanded. */
export function entriesOf(node: unknown): Pair<Node, Node | null>[] {
  return isMap(node) ? (node as YAMLMap<Node, Node | null>).items.filter((item) => isPair(item)) : [];
}

export function keyText(pair: Pair): string {
  if (!isScalar(pair.key)) return String(pair.key);
  // The parser reads a merge key, `<<`, as a symbol.
  return typeof pair.key.value === 'symbol' ? (pair.key.value.description ?? '') : String(pair.key.value);
}

function stepInto(yaml: YamlText, from: Located, step: string | number): Located | undefined {
  let node: unknown = from.value;
  let throughAlias = from.throughAlias;
  if (isAlias(node)) {
    node = node.resolve(yaml.document);
    throughAlias = true;
  }
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return isNode(item) ? { value: item, throughAlias } : undefined;
  }
  const entries = entriesOf(node);
  const own = entries.findLast((pair) => keyText(pair) === String(step));
  if (own) {
    return { key: own.key, pair: own, throughAlias, ...(isNode(own.value) ? { value: own.value } : {}) };
  }
  for (const merge of entries.filter((pair) => keyText(pair) === '<<')) {
    const sources: unknown[] = isSeq(merge.value) ? merge.value.items : [merge.value];
    for (const source of sources) {
      const found = isNode(source) && stepInto(yaml, { value: source, throughAlias: true }, step);
      if (found) return { ...found, throughAlias: true };
    }
  }
  return undefined;
}

function firstContent(yaml: YamlText): Place {
  const first = entriesOf(yaml.document.contents)[0]?.key;
  const range = first && rangeOf(first);
  if (range) return yaml.place(range[0], range[1]);
  return yaml.place(0, Math.min(yaml.text.length, 1));
}

function unresolvedAliases(document: Document.Parsed): Alias[] {
  const anchors = new Set<string>();
  const unresolved: Alias[] = [];
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) {
        if (!anchors.has(node.source)) unresolved.push(node);
      } else if ('anchor' in node && node.anchor !== undefined) anchors.add(node.anchor);
    },
  });
  return unresolved;
}

function aliasDiagnostic(alias: Alias, place: YamlText['place']): Diagnostic {
  const [start, end] = alias.range ?? [0, 1];
  return {
    ...place(start, end),
    severity: 'error',
    code: 'unresolvedAlias',
    message: `\`*${alias.source}\` names an anchor that is not set before it.`,
    remedy: `Set it with \`&${alias.source}\` above, or write the value.`,
    path: '',
    keys: [],
    suggestions: [],
  };
}
