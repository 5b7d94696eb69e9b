/** The keys of a text as a tree: what outline, breadcrumbs and "Go to symbol" show. */
import { isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { yamlInline } from '../editYaml.ts';
import { entriesOf, keyText, rangeOf } from '../yamlDocument.ts';
import type { Analysis } from './analyse.ts';
import { rowAt } from './catalogues.ts';

export interface OutlineItem {
  name: string;
  /** The value on one line, empty for a section. */
  detail: string;
  kind: 'section' | 'key';
  /** From the key to the end of its value; the key alone. */
  start: number;
  end: number;
  nameEnd: number;
  children: OutlineItem[];
}

/** Longer values are cut: the outline is narrow. */
const longestDetail = 40;

export function outline(analysis: Analysis): OutlineItem[] {
  return itemsOf(analysis, analysis.yaml.document.contents, []);
}

function itemsOf(analysis: Analysis, node: unknown, above: readonly string[]): OutlineItem[] {
  return entriesOf(node).flatMap((pair) => {
    const range = rangeOf(pair.key);
    const name = keyText(pair);
    // A key that is still being typed may have no text to name it by.
    if (!range || range[1] <= range[0] || name.trim() === '') return [];
    const path = [...above, name];
    const children = itemsOf(analysis, pair.value, path);
    const isSection = isMap(pair.value) || rowAt(analysis.catalogue, analysis.kind, path)?.type === 'section';
    const [start, nameEnd] = range;
    const end = Math.max(nameEnd, endOf(analysis.text, pair), ...children.map((child) => child.end));
    const detail = isSection ? '' : detailOf(pair.value);
    return [{ name, detail, kind: isSection ? 'section' : 'key', start, end, nameEnd, children }];
  });
}

/** Where the value ends as written, without the blanks and comments that the parser counts to it. */
function endOf(text: string, { key, value }: Pair<Node, Node | null>): number {
  const last = isMap(value) && !value.flow ? entriesOf(value).at(-1) : undefined;
  if (last) return endOf(text, last);
  const range = value?.range ?? key.range;
  return range ? range[0] + text.slice(range[0], range[1]).trimEnd().length : 0;
}

function detailOf(node: Node | null): string {
  if (!isScalar(node) && !isSeq(node)) return '';
  const value: unknown = node.toJSON();
  if (value === null || value === undefined) return '';
  const text = yamlInline(value);
  return text.length > longestDetail ? `${text.slice(0, longestDetail - 1)}\u2026` : text;
}
