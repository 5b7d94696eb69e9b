/** Finds what stands at a place of a YAML text. */
import { isMap, isNode, isScalar, isSeq, type Node } from 'yaml';
import { entriesOf, keyText, type KeyPath, type YamlText } from '../yamlDocument.ts';

export interface AtPlace {
  path: KeyPath;
  part: 'key' | 'value';
  node: Node;
  start: number;
  end: number;
}

/** The key or the innermost value that covers `offset`. */
export function pathAt(yaml: YamlText, offset: number): AtPlace | undefined {
  return within(yaml.document.contents, [], offset);
}

function within(node: unknown, path: KeyPath, offset: number): AtPlace | undefined {
  if (isMap(node)) {
    for (const pair of entriesOf(node)) {
      const here: KeyPath = [...path, keyText(pair)];
      if (covers(pair.key, offset)) return at(pair.key, here, 'key');
      const inside = within(pair.value, here, offset);
      if (inside) return inside;
    }
    return undefined;
  }
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      const inside = within(item, [...path, index], offset);
      if (inside) return inside;
    }
    return undefined;
  }
  return isNode(node) && covers(node, offset) && (!isScalar(node) || node.value !== null)
    ? at(node, path, 'value')
    : undefined;
}

function covers(node: Node, offset: number): boolean {
  return node.range != null && node.range[0] <= offset && offset <= node.range[1] && node.range[1] > node.range[0];
}

function at(node: Node, path: KeyPath, part: 'key' | 'value'): AtPlace {
  const [start, end] = node.range ?? [0, 0];
  return { path, part, node, start, end };
}
