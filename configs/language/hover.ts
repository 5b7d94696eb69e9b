/** What a key means, where its value comes from, and what follows from it, as Markdown. */
import { paperSentence, paperValue, type FieldRow } from '../fieldCatalogue.ts';
import { showRounded, splitPath } from '../finding.ts';
import { valueAt } from '../plainValues.ts';
import { lossPreset } from '../resolve.ts';
import { methodNames, type Method } from '../schema.ts';
import { locate } from '../yamlDocument.ts';
import { methodOf, type Analysis } from './analyse.ts';
import { rowAt } from './catalogues.ts';
import type { Duties } from './duties.ts';
import { hints, type HintOptions } from './hints.ts';
import { pathAt } from './pathAt.ts';

export interface HoverText {
  start: number;
  end: number;
  /** Dotted path of the key. */
  path: string;
  markdown: string;
}

export interface HoverOptions extends HintOptions {
  /** What one's own runs say about the values of a key, given its path; Markdown. */
  past?: (key: string) => string;
  /** `derived` leaves out what the schema says: somebody else shows it. */
  part?: Duties['hover'];
}

export function hover(analysis: Analysis, offset: number, options: HoverOptions = {}): HoverText | undefined {
  const found = pathAt(analysis.yaml, offset);
  const row = found && rowAt(analysis.catalogue, analysis.kind, found.path);
  if (!found || !row) return undefined;
  const parts = [
    options.part === 'derived' ? paperOfMethod(row, methodOf(analysis)) : fieldMarkdown(row, methodOf(analysis)),
    analysis.kind === 'config' ? originMarkdown(analysis, row) : '',
    ...hints(analysis, options)
      .filter((hint) => hint.path === row.path)
      .map((hint) => `**Here:** ${hint.text.replace(/^[=~] /, '')}. ${hint.tooltip}`),
    row.type === 'section' ? '' : (options.past?.(row.path) ?? ''),
  ];
  const markdown = parts.filter(Boolean).join('\n\n');
  return markdown === '' ? undefined : { start: found.start, end: found.end, path: row.path, markdown };
}

/** What another server's hover leaves open, since a JSON Schema knows no methods: which of the paper's values is this one's. */
function paperOfMethod(row: FieldRow, method: Method | undefined): string {
  const value = row.paperOf && paperValue(row, method);
  return value === undefined || method === undefined ? '' : `**Paper:** ${value} for ${methodNames[method]}.`;
}

/**
 * The schema's words about a key; also the text of completions and, without a method, of the generated JSON Schema. With a
 * method, its value in the paper comes first, and is what our default is held against.
 */
export function fieldMarkdown(row: FieldRow, method?: Method): string {
  const facts = [
    row.default === undefined ? '' : `Default \`${showRounded(row.default)}\``,
    row.unit === undefined ? '' : `unit ${row.unit}`,
  ].filter(Boolean);
  const paper = paperSentence(row, method);
  // One paragraph of lines: a hover has little height.
  const values = [
    facts.length > 0 ? `${facts.join(', ')}.` : '',
    paper === undefined ? (row.source === undefined ? '' : `**Source:** ${row.source}`) : `**Paper:** ${paper}`,
    row.reference === undefined ? '' : `**Authors' code:** ${row.reference}`,
    differenceMarkdown(row, method),
  ];
  return [
    `**\`${row.path}\`** - ${row.expected}`,
    row.description,
    row.equation === undefined ? '' : `\`\`\`text\n${row.equation}\n\`\`\``,
    values.filter(Boolean).join('  \n'),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** Says whether our default is not the paper's, and whose it is. */
function differenceMarkdown(row: FieldRow, method: Method | undefined): string {
  const presets = presetValues(row.path);
  if (presets) return `**By \`loss.preset\`:** ${presets}.`;
  const paper = paperValue(row, method);
  const published = paper === undefined ? undefined : firstValue(paper, row);
  if (row.default === undefined || published === undefined || same(published, row.default)) return '';
  const isReference = row.reference !== undefined && same(firstValue(row.reference, row), row.default);
  const whose = row.paperOf && method ? ` for ${methodNames[method]}` : '';
  return `**Differs:** our default \`${showRounded(row.default)}\` is ${isReference ? 'the authors\u2019 code\u2019s, ' : ''}not the paper\u2019s \`${published}\`${whose}.`;
}

/** What `loss.preset` sets a key to; undefined for a key that it leaves alone. */
function presetValues(path: string): string | undefined {
  if (!path.startsWith('loss.')) return undefined;
  const values = (['reference', 'paper'] as const).map((name) => {
    const value = valueAt(lossPreset(name, 512), splitPath(path).slice(1));
    return typeof value === 'object' || value === undefined ? undefined : `${name} \`${showRounded(value)}\``;
  });
  return values.includes(undefined) ? undefined : values.join(', ');
}

/** The value that a text about a key begins with: `[0.4, 1]`, `0.002 (for ...)`, `ema`; undefined where it is words. */
function firstValue(text: string, row: FieldRow): string | undefined {
  const found = /^(?:\[[^\]]*\]|-?\d[\d.]*(?:e-?\d+)?(?=$|[\s,;(])|\w+)/.exec(text)?.[0];
  if (found === undefined || /^[-[\d]/.test(found)) return found;
  return row.choices?.includes(found) ? found : undefined;
}

/** Texts round what defaults spell out. */
function same(published: string | undefined, value: unknown): boolean {
  const numbers = (text: string): number[] => (text.match(/-?\d[\d.]*(?:e-?\d+)?/g) ?? []).map(Number);
  if (published === undefined) return false;
  const [a, b] = [numbers(published), numbers(JSON.stringify(value))];
  if (a.length === 0 || b.length === 0) return published === String(value);
  return a.length === b.length && a.every((number, i) => Math.abs(number - b[i]!) <= 1e-3 * Math.abs(b[i]!));
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
