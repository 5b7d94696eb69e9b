/** What a key means, where its value comes from, and what follows from it, as Markdown. */
import type { FieldRow } from '../fieldCatalogue.ts';
import { showRounded, splitPath } from '../finding.ts';
import { valueAt } from '../plainValues.ts';
import { locate } from '../yamlDocument.ts';
import type { Analysis } from './analyse.ts';
import { rowAt } from './catalogues.ts';
import { hints, type HintOptions } from './hints.ts';
import { pathAt } from './pathAt.ts';

export interface HoverText {
  start: number;
  end: number;
  /** Dotted path of the key. */
  path: string;
  markdown: string;
}

export function hover(analysis: Analysis, offset: number, options: HintOptions = {}): HoverText | undefined {
  const found = pathAt(analysis.yaml, offset);
  const row = found && rowAt(analysis.catalogue, analysis.kind, found.path);
  if (!found || !row) return undefined;
  const parts = [
    fieldMarkdown(row),
    analysis.kind === 'config' ? originMarkdown(analysis, row) : '',
    ...hints(analysis, options)
      .filter((hint) => hint.path === row.path)
      .map((hint) => `**Here:** ${hint.text.replace(/^= /, '')} - ${hint.tooltip}`),
  ];
  return { start: found.start, end: found.end, path: row.path, markdown: parts.filter(Boolean).join('\n\n') };
}

/** The schema's words about a key; also the text of completions and of the generated JSON Schema. */
export function fieldMarkdown(row: FieldRow): string {
  const facts = [
    row.default === undefined ? '' : `Default \`${showRounded(row.default)}\``,
    row.unit === undefined ? '' : `unit ${row.unit}`,
  ].filter(Boolean);
  const source = row.source === undefined ? '' : ` (${row.source})`;
  return [
    `**\`${row.path}\`** - ${row.expected}`,
    row.description,
    facts.length > 0 ? `${facts.join(', ')}.` : '',
    row.equation === undefined ? '' : `\`\`\`text\n${row.equation}\n\`\`\``,
    row.paper === undefined
      ? row.source === undefined
        ? ''
        : `**Source:** ${row.source}`
      : `**Paper:** ${row.paper}${source}`,
    row.reference === undefined ? '' : `**Authors' code:** ${row.reference}`,
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** Says where the value in force comes from, or what it replaces. */
function originMarkdown(analysis: Extract<Analysis, { kind: 'config' }>, row: FieldRow): string {
  const keys = splitPath(row.path);
  if (row.type === 'section' || row.path === 'extends') return '';
  const here = locate(analysis.yaml, keys);
  if (here?.throughAlias) return 'The value is written elsewhere in this file, behind an anchor.';
  const extended: unknown = valueAt(analysis.read.base, keys);
  const reference: unknown = valueAt(analysis.yaml.value, ['extends']);
  return here && extended !== undefined ? `\`${String(reference)}\` has \`${showRounded(extended)}\`.` : '';
}
