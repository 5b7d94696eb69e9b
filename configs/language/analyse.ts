/** One reading of a text that all language features share. */
import type { Diagnostic } from '../diagnostic.ts';
import { documentKind } from '../documentKind.ts';
import { catalogueFor, type Catalogue } from './catalogues.ts';
import { readConfig, type ReadConfig, type ReadOptions } from '../readConfig.ts';
import { readSweep, type ReadSweep } from '../readSweep.ts';
import type { YamlText } from '../yamlDocument.ts';

export type Analysis = {
  path: string;
  text: string;
  yaml: YamlText;
  diagnostics: Diagnostic[];
  catalogue: Catalogue;
} & ({ kind: 'config'; read: ReadConfig } | { kind: 'sweep'; read: ReadSweep });

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
