/** A resolved configuration as YAML, for people to read. */
import { Document, isMap, isScalar, isSeq, visit } from 'yaml';
import type { ResolvedConfig } from './schema.ts';

/** Every key with its value in force; lists stay on one line. */
export function resolvedText(config: ResolvedConfig, comment: string): string {
  const document = new Document(config);
  visit(document, {
    Seq(_key, node) {
      if (isSeq(node)) node.flow = true;
    },
  });
  if (isMap(document.contents)) {
    for (const [index, { key }] of document.contents.items.entries()) {
      if (index > 0 && isScalar(key)) key.spaceBefore = true;
    }
  }
  document.commentBefore = comment
    .split('\n')
    .map((line) => ` ${line}`)
    .join('\n');
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
