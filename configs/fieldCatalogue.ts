/** The schema as a flat table: one row per key, with everything that the editor and the terminal say about it. */
import { z } from 'zod';
import { configSchema, methodNames, methods, type Method, type PaperValues } from './schema.ts';

export type FieldType = 'section' | 'integer' | 'number' | 'string' | 'boolean' | 'choice' | 'list' | 'numberOrChoice';

/** One key of a configuration. */
export interface FieldRow {
  /** Dotted: `loss.codingRate.groups`. */
  path: string;
  type: FieldType;
  /** What a value must be, as a noun phrase: 'a number above 0 and at most 100'. */
  expected: string;
  description: string;
  /** Names that the value may be. */
  choices?: string[];
  minimum?: number;
  maximum?: number;
  /** The value must be greater than this. */
  above?: number;
  /** The value must be less than this. */
  below?: number;
  default?: unknown;
  /** Whether leaving the key out is an error. */
  required?: boolean;
  unit?: string;
  /** What the paper writes, with the methods' names where it differs between them. */
  paper?: string;
  /** The same by method, where it differs. */
  paperOf?: PaperValues;
  source?: string;
  equation?: string;
  reference?: string;
}

/** The part of a JSON Schema that the tables are made from. */
export interface JsonSchema {
  type?: string;
  description?: string;
  enum?: string[];
  const?: unknown;
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema | JsonSchema[];
  additionalProperties?: boolean | JsonSchema;
  minItems?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  default?: unknown;
  expected?: string;
  unit?: string;
  paper?: string | PaperValues;
  source?: string;
  equation?: string;
  reference?: string;
}

/** JSON Schema (draft 7) of a configuration as a user writes it. */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' }) as JsonSchema;
}

let rows: ReadonlyMap<string, FieldRow> | undefined;

/** All keys in the schema's order, sections before their keys. */
export function fieldCatalogue(): ReadonlyMap<string, FieldRow> {
  rows ??= catalogueOf(configJsonSchema());
  return rows;
}

/** The rows of any object schema; also used for sweep files. */
export function catalogueOf(root: JsonSchema): ReadonlyMap<string, FieldRow> {
  const found = new Map<string, FieldRow>();
  const walk = (schema: JsonSchema, prefix: string): void => {
    for (const [key, child] of Object.entries(schema.properties ?? {})) {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      found.set(path, rowOf(path, child, schema.required?.includes(key) ?? false));
      walk(child, path);
    }
  };
  walk(root, '');
  return found;
}

/** What the paper writes for a method's key; undefined where it has several values and the method is not known. */
export function paperValue(row: FieldRow, method: Method | undefined): string | undefined {
  if (row.paperOf) return method && row.paperOf[method];
  return row.paper;
}

/** The paper's value with its source: that of the method first, where the paper has several. */
export function paperSentence(row: FieldRow, method: Method | undefined): string | undefined {
  if (row.paper === undefined) return undefined;
  const source = row.source === undefined ? '' : ` (${row.source})`;
  const own = row.paperOf && paperValue(row, method);
  if (method === undefined || own === undefined) return `${row.paper}${source}`;
  const differing = methods.filter((other) => row.paperOf?.[other] !== own);
  const others = byMethodText(Object.fromEntries(differing.map((other) => [other, row.paperOf?.[other]])));
  return `${own} for ${methodNames[method]}${source}${others === '' ? '' : `; ${others}`}`;
}

/** `SimDINO, DINO: 0.996; SimDINOv2: 0.9` */
function byMethodText(values: { [M in Method]?: string | undefined }): string {
  const distinct = new Set(methods.map((method) => values[method]).filter((value) => value !== undefined));
  return [...distinct]
    .map((value) => {
      const names = methods.filter((method) => values[method] === value).map((method) => methodNames[method]);
      return `${names.join(', ')}: ${value}`;
    })
    .join('; ');
}

/** Keys directly below a section ('' is the root), in the schema's order. */
export function keysOf(section: string, catalogue = fieldCatalogue()): string[] {
  const prefix = section === '' ? '' : `${section}.`;
  return [...catalogue.keys()]
    .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('.'))
    .map((path) => path.slice(prefix.length));
}

function rowOf(path: string, schema: JsonSchema, required: boolean): FieldRow {
  const choices = choicesOf(schema);
  const number = schema.anyOf?.find((option) => option.type === 'number' || option.type === 'integer') ?? schema;
  const row: FieldRow = {
    path,
    type: typeOf(schema, choices),
    expected: schema.expected ?? expectation(schema),
    description: schema.description ?? '',
  };
  if (choices.length > 0) row.choices = choices;
  if (isBound(number.minimum)) row.minimum = number.minimum;
  if (isBound(number.maximum)) row.maximum = number.maximum;
  if (number.exclusiveMinimum !== undefined) row.above = number.exclusiveMinimum;
  if (number.exclusiveMaximum !== undefined) row.below = number.exclusiveMaximum;
  if (schema.default !== undefined && schema.type !== 'object') row.default = schema.default;
  if (required) row.required = true;
  for (const info of ['unit', 'source', 'equation', 'reference'] as const) {
    const text = schema[info];
    if (text !== undefined) row[info] = text;
  }
  if (typeof schema.paper === 'string') row.paper = schema.paper;
  else if (schema.paper) Object.assign(row, { paper: byMethodText(schema.paper), paperOf: schema.paper });
  return row;
}

function typeOf(schema: JsonSchema, choices: string[]): FieldType {
  if (schema.anyOf) return schema.anyOf.length > choices.length ? 'numberOrChoice' : 'choice';
  if (schema.type === 'boolean') return 'boolean';
  if (choices.length > 0) return 'choice';
  switch (schema.type) {
    case 'object':
      return 'section';
    case 'array':
      return 'list';
    case 'integer':
    case 'number':
    case 'string':
      return schema.type;
    default:
      throw new Error(`internal: no field type for ${JSON.stringify(schema)}`);
  }
}

function choicesOf(schema: JsonSchema): string[] {
  if (schema.anyOf) return schema.anyOf.flatMap(choicesOf);
  if (schema.type === 'boolean') return ['true', 'false'];
  return schema.enum ?? (typeof schema.const === 'string' ? [schema.const] : []);
}

function expectation(schema: JsonSchema): string {
  if (schema.anyOf) return disjunction(schema.anyOf.map(expectation));
  if (schema.type === 'boolean') return '`true` or `false`';
  const choices = choicesOf(schema);
  if (choices.length > 0) return choices.length === 1 ? `\`${choices[0]}\`` : `one of ${choices.join(', ')}`;
  switch (schema.type) {
    case 'object':
      return 'a section with keys of its own';
    case 'string':
      return 'a text';
    case 'array':
      return expectedList(schema);
    default:
      return `${schema.type === 'integer' ? 'a whole number' : 'a number'}${boundsPhrase(schema)}`;
  }
}

function expectedList(schema: JsonSchema): string {
  if (Array.isArray(schema.items)) {
    return `a list of ${schema.items.length} numbers, each${boundsPhrase(schema.items[0] ?? {})}`;
  }
  return `a list of numbers, each${boundsPhrase(schema.items ?? {})}`;
}

function boundsPhrase(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (isBound(minimum) && isBound(maximum)) return ` from ${minimum} to ${maximum}`;
  const parts: string[] = [];
  if (isBound(minimum)) parts.push(`${minimum} or more`);
  if (exclusiveMinimum !== undefined) parts.push(`above ${exclusiveMinimum}`);
  if (isBound(maximum)) parts.push(`at most ${maximum}`);
  if (exclusiveMaximum !== undefined) parts.push(`below ${exclusiveMaximum}`);
  return parts.length > 0 ? ` ${parts.join(' and ')}` : '';
}

/** Whole numbers carry JavaScript's own limits, which no reader needs. */
function isBound(value: number | undefined): value is number {
  return value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
}

function disjunction(parts: string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} or ${parts.at(-1)}`;
}
