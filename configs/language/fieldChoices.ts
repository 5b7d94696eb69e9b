/** What "Edit hyperparameter" offers: every key with its value in force and where that comes from, and checked input. */
import { parse } from 'yaml';
import { isSimdinoError } from '../../protocol/errors.ts';
import { sentence } from '../diagnostic.ts';
import { setYamlValue, type YamlEdit } from '../editYaml.ts';
import type { FieldRow } from '../fieldCatalogue.ts';
import { show, splitPath } from '../finding.ts';
import { valueAt } from '../plainValues.ts';
import { readConfig, type ReadConfig, type ReadOptions } from '../readConfig.ts';
import { locate } from '../yamlDocument.ts';
import { valueRows } from './catalogues.ts';

export interface FieldChoice {
  row: FieldRow;
  /** The value in force; undefined when nothing sets it. */
  value: unknown;
  /** Written in this text, taken from what it extends, or left to the defaults and `loss.preset`. */
  origin: 'written' | 'extended' | 'default';
}

/** All keys: those that the text writes, then those that it extends, then the rest. */
export function fieldChoices(read: ReadConfig): FieldChoice[] {
  const choices = valueRows().map((row): FieldChoice => {
    const keys = splitPath(row.path);
    const written = locate(read.yaml, keys) !== undefined;
    const extended = !written && valueAt(read.merged, keys) !== undefined;
    const resolved = valueAt(read.tentative, keys);
    return {
      row,
      value: resolved === undefined ? (valueAt(read.merged, keys) ?? row.default) : resolved,
      origin: written ? 'written' : extended ? 'extended' : 'default',
    };
  });
  const order = ['written', 'extended', 'default'] as const;
  return choices.sort((a, b) => order.indexOf(a.origin) - order.indexOf(b.origin));
}

export type CheckedInput = { edit: YamlEdit; warning?: string } | { fault: string };

/**
 * The edit that writes `input` (YAML, as a person types a value) at `path`, or what speaks against it: the sentence that
 * the editor would show at that key afterwards.
 */
export function checkInput(text: string, path: string, input: string, options: ReadOptions): CheckedInput {
  let value: unknown;
  try {
    // Unless told, the parser prints warnings.
    value = parse(input, { logLevel: 'error' }) as unknown;
  } catch {
    // Half a list or a lone quote: the person is still typing.
    return { fault: `${show(input)} is not a YAML value.` };
  }
  if (value === null || input.trim() === '') return { fault: 'Give a value.' };
  try {
    const edit = setYamlValue(text, path, value);
    const about = readConfig(edit.text, options).diagnostics.filter(
      (diagnostic) => diagnostic.path === path || diagnostic.path.startsWith(`${path}.`),
    );
    const [first] = about;
    const error = about.find(({ severity }) => severity === 'error');
    if (error) return { fault: sentence(error) };
    return first ? { edit, warning: sentence(first) } : { edit };
  } catch (error) {
    if (isSimdinoError(error)) return { fault: error.message };
    throw error;
  }
}
