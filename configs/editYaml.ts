/**
 * Edits of a YAML text that leave comments, order, quoting and anchors as they are. Every edit is checked by reading
 * the result: exactly the wished value has changed, or the edit is refused.
 */
import { errors } from '../protocol/errors.ts';
import { isAlias, isMap, isScalar, isSeq, parse, visit, type Node, type Pair } from 'yaml';
import type { TextEdit } from './diagnostic.ts';
import { isPlainMap, valueAt, withoutKey, withValue } from './plainValues.ts';
import { entriesOf, keyText, locate, readYaml, type Located, type YamlText } from './yamlDocument.ts';

export interface YamlEdit {
  /** The text after the edits. */
  text: string;
  /** The same as replacements in the text before. */
  edits: TextEdit[];
  /** Paths that change too, since they refer to the edited value by an alias or a merge key. */
  changesAlso: string[];
}

/** Sets `path` (`loss.eps` or its parts) to `value`; sections that do not exist are made. */
export function setYamlValue(text: string, path: string | readonly string[], value: unknown): YamlEdit {
  const steps = typeof path === 'string' ? path.split('.') : [...path];
  const yaml = readable(text, steps);
  const found = locate(yaml, steps);
  const edits = found && !found.throughAlias ? replacement(yaml, found, value) : insertion(yaml, steps, value);
  return checked(yaml, edits, steps, withValue(yaml.value ?? {}, steps, value));
}

/** Removes a key, its value and the comment on its line. */
export function removeYamlKey(text: string, path: string | readonly string[]): YamlEdit {
  const steps = typeof path === 'string' ? path.split('.') : [...path];
  const yaml = readable(text, steps);
  const found = locate(yaml, steps);
  if (!found?.pair || found.throughAlias) throw refused(steps, 'the key is not written in this text');
  return checked(yaml, [removal(yaml, steps, found.pair)], steps, withoutKey(yaml.value, steps));
}

export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((result, edit) => result.slice(0, edit.start) + edit.text + result.slice(edit.end), text);
}

/** A value in YAML on one line. */
export function yamlInline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlInline).join(', ')}]`;
  if (isPlainMap(value)) {
    const entries = Object.entries(value).map(([key, child]) => `${yamlInline(key)}: ${yamlInline(child)}`);
    return entries.length > 0 ? `{ ${entries.join(', ')} }` : '{}';
  }
  if (typeof value === 'number' && value !== 0 && Math.abs(value) < 1e-4) return value.toExponential();
  if (typeof value !== 'string') return String(value);
  // Quoted unless it is a plain word that reads back as this very text in a block and in a flow.
  return /^[\p{L}_./~][\p{L}\p{N}_./~ -]*$/u.test(value) && value === value.trim() && parse(value) === value
    ? value
    : JSON.stringify(value);
}

function readable(text: string, steps: readonly string[]): YamlText {
  const yaml = readYaml(text);
  const fault = yaml.diagnostics.find((diagnostic) => diagnostic.severity === 'error');
  if (fault) throw refused(steps, `line ${fault.line} is not valid YAML (${fault.message.replace(/\.$/, '')})`);
  return yaml;
}

function replacement(yaml: YamlText, found: Located, value: unknown): TextEdit[] {
  const { pair, value: node } = found;
  if (isSeq(node) && Array.isArray(value) && node.items.length === value.length && node.items.every(isScalar)) {
    return node.items.flatMap((item, index) => {
      const range = item.range;
      if (!range || item.value === value[index]) return [];
      return [{ start: range[0], end: range[1], text: yamlInline(value[index]) }];
    });
  }
  if (node?.range && node.range[1] > node.range[0]) {
    const [start, end] = node.range;
    const trimmed = start + yaml.text.slice(start, end).trimEnd().length;
    return [{ start, end: trimmed, text: yamlInline(value) }];
  }
  const colon = pair && colonAfter(yaml, pair);
  if (colon === undefined) throw new Error('internal: a located key has no place');
  return [{ start: colon, end: colon, text: ` ${yamlInline(value)}` }];
}

function insertion(yaml: YamlText, steps: readonly string[], value: unknown): TextEdit[] {
  let depth = steps.length - 1;
  while (depth > 0 && !locate(yaml, steps.slice(0, depth))) depth--;
  const parent = locate(yaml, steps.slice(0, depth));
  const missing = steps.slice(depth);
  const newline = yaml.text.includes('\r\n') ? '\r\n' : '\n';
  if (parent && (parent.throughAlias || isAlias(parent.value))) {
    const place = steps.slice(0, depth).join('.');
    throw refused(steps, `\`${place}\` is an alias of a value that is written elsewhere; edit it there`);
  }
  const node = parent?.value;
  if (isMap(node) && node.flow) return [insertInFlow(yaml, node, missing, value)];
  if (isMap(node) && node.items.length > 0) {
    const entries = entriesOf(node);
    const column = columnOf(yaml, entries[0]!.key);
    // A merge key stays last or first as it was: a key that is written wins over a merged one wherever it stands.
    return [insertLines(yaml, contentEnd(yaml, entries.at(-1)!), block(missing, value, column, newline), newline)];
  }
  if (isScalar(node) && node.value === null) {
    if (!parent?.pair) return [insertLines(yaml, yaml.text.length, block(missing, value, 0, newline), newline)];
    if (node.range && node.range[1] > node.range[0]) {
      return [{ start: node.range[0], end: node.range[1], text: yamlInline(nested(missing, value)) }];
    }
    const indent = columnOf(yaml, parent.pair.key) + 2;
    const colon = colonAfter(yaml, parent.pair);
    return [insertLines(yaml, colon, block(missing, value, indent, newline), newline)];
  }
  if (!parent || (depth === 0 && !node)) {
    return [insertLines(yaml, yaml.text.length, block(missing, value, 0, newline), newline)];
  }
  throw refused(steps, `\`${steps.slice(0, depth).join('.')}\` is not a section`);
}

function nested(steps: readonly string[], value: unknown): unknown {
  return steps.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);
}

/** `codingRate:` and below it `  groups: 8`, each line indented by `column`. */
function block(steps: readonly string[], value: unknown, column: number, newline: string): string {
  return steps
    .map((step, index) => {
      const last = index === steps.length - 1;
      return `${' '.repeat(column + 2 * index)}${yamlInline(step)}:${last ? ` ${yamlInline(value)}` : ''}`;
    })
    .join(newline);
}

/** Puts lines behind the line that holds `offset`. */
function insertLines(yaml: YamlText, offset: number, lines: string, newline: string): TextEdit {
  const { text } = yaml;
  if (text === '') return { start: 0, end: 0, text: lines + newline };
  if (offset >= text.length) {
    return { start: text.length, end: text.length, text: text.endsWith('\n') ? lines + newline : newline + lines };
  }
  const lineEnd = text.indexOf('\n', offset);
  if (lineEnd === -1) return { start: text.length, end: text.length, text: newline + lines };
  return { start: lineEnd + 1, end: lineEnd + 1, text: lines + newline };
}

function insertInFlow(yaml: YamlText, map: Node, steps: readonly string[], value: unknown): TextEdit {
  const entries = entriesOf(map);
  const [first, ...rest] = steps;
  const entry = `${yamlInline(first)}: ${yamlInline(nested(rest, value))}`;
  if (entries.length > 0) {
    const end = contentEnd(yaml, entries.at(-1)!);
    return { start: end, end, text: `, ${entry}` };
  }
  const [start, end] = map.range ?? [0, 0];
  return { start, end, text: `{ ${entry} }` };
}

function removal(yaml: YamlText, steps: readonly string[], pair: Pair<Node, Node | null>): TextEdit {
  const { text } = yaml;
  const parent = locate(yaml, steps.slice(0, -1))?.value;
  let start = pair.key.range?.[0] ?? 0;
  let end = contentEnd(yaml, pair);
  if (isMap(parent) && parent.flow) {
    const after = /^\s*,\s*/.exec(text.slice(end));
    const before = /,\s*$/.exec(text.slice(0, start));
    if (after) end += after[0].length;
    else if (before) start -= before[0].length;
    return { start, end, text: '' };
  }
  start = text.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = text.indexOf('\n', end);
  return { start, end: lineEnd === -1 ? text.length : lineEnd + 1, text: '' };
}

/** Where a key's value ends as written, without the newline and the comment behind it. */
function contentEnd(yaml: YamlText, pair: Pair<Node, Node | null>): number {
  return nodeEnd(yaml, pair.value) ?? colonAfter(yaml, pair);
}

function nodeEnd(yaml: YamlText, node: unknown): number | undefined {
  if (isMap(node) && !node.flow) {
    const last = entriesOf(node).at(-1);
    return last && contentEnd(yaml, last);
  }
  if (isSeq(node) && !node.flow) return nodeEnd(yaml, node.items.at(-1));
  const range = (node as Node | null | undefined)?.range;
  if (!range || range[1] <= range[0]) return undefined;
  return range[0] + yaml.text.slice(range[0], range[1]).trimEnd().length;
}

function colonAfter(yaml: YamlText, pair: Pair<Node, Node | null>): number {
  const keyEnd = pair.key.range?.[1] ?? 0;
  const colon = yaml.text.indexOf(':', keyEnd);
  return colon === -1 ? keyEnd : colon + 1;
}

function columnOf(yaml: YamlText, node: Node): number {
  const start = node.range?.[0] ?? 0;
  return start - (yaml.text.lastIndexOf('\n', start - 1) + 1);
}

function checked(yaml: YamlText, edits: TextEdit[], steps: readonly string[], wished: unknown): YamlEdit {
  const text = applyEdits(yaml.text, edits);
  const after = readYaml(text);
  if (after.diagnostics.some((diagnostic) => diagnostic.severity === 'error')) {
    throw refused(steps, `the result would not be valid YAML (${after.diagnostics[0]!.message.replace(/\.$/, '')})`);
  }
  const changed = differences(wished ?? null, after.value ?? null);
  const sharing = aliasUsers(yaml);
  const unexpected = changed.find(
    (path) => isWithinPath(path, steps.join('.')) || !sharing.some((user) => isWithinPath(path, user)),
  );
  if (unexpected !== undefined) throw refused(steps, `it would change \`${unexpected}\` as well`);
  return { text, edits, changesAlso: changed };
}

/** Dotted paths of all values that are aliases or take keys by merging. */
function aliasUsers(yaml: YamlText): string[] {
  const users: string[] = [];
  visit(yaml.document, {
    Alias(_key, _node, ancestors) {
      const names = ancestors.flatMap((ancestor) =>
        ancestor !== null && 'key' in ancestor && isScalar(ancestor.key) ? [keyText(ancestor)] : [],
      );
      users.push(names.filter((name) => name !== '<<').join('.'));
    },
  });
  return users;
}

/** Dotted paths of the leaves that differ. */
function differences(a: unknown, b: unknown, path = ''): string[] {
  if (isPlainMap(a) && isPlainMap(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return keys.flatMap((key) => differences(valueAt(a, [key]), valueAt(b, [key]), path ? `${path}.${key}` : key));
  }
  if (isEmpty(a) && isEmpty(b)) return [];
  return JSON.stringify(a) === JSON.stringify(b) ? [] : [path];
}

/** A section without keys is the same whether it is `{}`, empty, or left out. */
function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (isPlainMap(value) && Object.keys(value).length === 0);
}

function isWithinPath(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`);
}

function refused(steps: readonly string[], reason: string): Error {
  return errors.yamlEditRefused(steps.join('.'), reason);
}
