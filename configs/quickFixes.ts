/** Turns a diagnostic's suggestions into edits of the text. */
import { isSimdinoError } from '../protocol/errors.ts';
import type { Diagnostic, Suggestion, TextEdit } from './diagnostic.ts';
import { removeYamlKey, setYamlValue, yamlInline } from './editYaml.ts';
import { valueAt } from './plainValues.ts';
import { locate, rangeOf, readYaml, type YamlText } from './yamlDocument.ts';

export interface QuickFix {
  title: string;
  edits: TextEdit[];
}

/** The fixes that the text allows, the likeliest first. */
export function quickFixes(text: string, diagnostic: Pick<Diagnostic, 'keys' | 'suggestions'>): QuickFix[] {
  if (diagnostic.suggestions.length === 0) return [];
  const yaml = readYaml(text);
  return diagnostic.suggestions.flatMap((suggestion) => {
    try {
      const fix = fixOf(suggestion, diagnostic.keys.map(String), yaml);
      return fix ? [fix] : [];
    } catch (error) {
      // An edit that the text does not allow (half-typed YAML, a value behind an alias) is not offered.
      if (isSimdinoError(error) && error.code === 'yamlEditRefused') return [];
      throw error;
    }
  });
}

function fixOf(suggestion: Suggestion, path: readonly string[], yaml: YamlText): QuickFix | undefined {
  const { text } = yaml;
  const name = path.join('.');
  switch (suggestion.kind) {
    case 'rename': {
      const key = locate(yaml, path)?.key;
      const range = key && rangeOf(key);
      if (!range || locate(yaml, [...path.slice(0, -1), suggestion.to])) return undefined;
      return {
        title: `Change to \`${suggestion.to}\``,
        edits: [{ start: range[0], end: range[1], text: suggestion.to }],
      };
    }
    case 'set':
      return {
        title: `Set \`${[suggestion.path].flat().join('.')}\` to ${yamlInline(suggestion.value)}`,
        edits: setYamlValue(text, suggestion.path, suggestion.value).edits,
      };
    case 'remove':
      return { title: `Remove \`${name}\``, edits: removeYamlKey(text, path).edits };
    case 'move': {
      if (locate(yaml, suggestion.to.split('.'))) return undefined;
      const removed = removeYamlKey(text, path);
      const moved = setYamlValue(removed.text, suggestion.to, valueAt(yaml.value, path)).text;
      const comment = commentBehind(yaml, path);
      const end = lineEndOf(readYaml(moved), suggestion.to.split('.'));
      const whole = comment === '' || end === undefined ? moved : moved.slice(0, end) + comment + moved.slice(end);
      return { title: `Move to \`${suggestion.to}\``, edits: [wholeChange(text, whole)] };
    }
  }
}

/** The comment on the line of a value, with the blanks before it; empty where something else follows the value. */
function commentBehind(yaml: YamlText, path: readonly string[]): string {
  const range = locate(yaml, path)?.value?.range;
  return (range && /^[ \t]+#[^\r\n]*/.exec(yaml.text.slice(range[1]))?.[0]) ?? '';
}

/** Where the line of a value ends; undefined where something follows the value on it. */
function lineEndOf(yaml: YamlText, path: readonly string[]): number | undefined {
  const range = locate(yaml, path)?.value?.range;
  return range && /^[ \t]*(?:\r?\n|$)/.test(yaml.text.slice(range[1])) ? range[1] : undefined;
}

/** One replacement that turns `before` into `after`, without their common beginning and end. */
function wholeChange(before: string, after: string): { start: number; end: number; text: string } {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start++;
  let end = 0;
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return { start, end: before.length - end, text: after.slice(start, after.length - end) };
}
