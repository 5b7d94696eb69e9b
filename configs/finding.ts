/** A remark about a configuration's values, before it has a place in a text. */
import type { DiagnosticCode, Severity, Suggestion } from './diagnostic.ts';
import type { KeyPath } from './yamlDocument.ts';

export interface Finding {
  severity: Severity;
  code: DiagnosticCode;
  /** The keys that it is about; the first one written in the text gets the mark. */
  paths: KeyPath[];
  /** Whether the key or its value is marked. */
  part: 'key' | 'value';
  message: string;
  remedy: string;
  source?: string;
  suggestions: Suggestion[];
}

/** `loss.eps` as a path; no key of a configuration holds a dot. */
export function splitPath(path: string): string[] {
  return path === '' ? [] : path.split('.');
}

/** A value as it stands in a message. */
export function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** A default in a message: irrational ones are cut, since nobody types seventeen digits. */
export function showRounded(value: unknown): string {
  return show(typeof value === 'number' ? Number(value.toPrecision(6)) : value);
}
