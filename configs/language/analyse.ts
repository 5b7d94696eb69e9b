/** One reading of a text that all language features share. */
import type { Diagnostic } from '../diagnostic.ts';
import { documentKind } from '../documentKind.ts';
import { catalogueFor, type Catalogue } from './catalogues.ts';
import { readConfig, type ReadConfig, type ReadOptions } from '../readConfig.ts';
import { readSweep, type ReadSweep } from '../readSweep.ts';
import { methods, type Method } from '../schema.ts';
import { valueAt } from '../plainValues.ts';
import type { YamlText } from '../yamlDocument.ts';

export type Analysis = {
  path: string;
  text: string;
  yaml: YamlText;
  diagnostics: Diagnostic[];
  catalogue: Catalogue;
} & ({ kind: 'config'; read: ReadConfig } | { kind: 'sweep'; read: ReadSweep });

/** The method that a text is about, also while it is half-typed; undefined where a sweep varies it. */
export function methodOf(analysis: Analysis): Method | undefined {
  if (analysis.kind === 'config') {
    const written = valueAt(analysis.read.merged, ['method']) ?? 'simdino';
    return analysis.read.tentative?.method ?? methods.find((method) => method === written);
  }
  const found = new Set(analysis.read.sweep?.runs.map(({ config }) => config.method));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Undefined when the text is not a SimDINO file. */
export function analyse(text: string, options: ReadOptions): Analysis | undefined {
  const kind = documentKind(options.path, text);
  if (!kind) return undefined;
  const shared = { path: options.path, text, catalogue: catalogueFor(kind) };
  if (kind === 'sweep') {
    const read = readSweep(text, options);
    return { ...shared, kind, read, yaml: read.yaml, diagnostics: read.diagnostics };
  }
  const read = readConfig(text, options);
  return { ...shared, kind, read, yaml: read.yaml, diagnostics: read.diagnostics };
}
