/**
 * Who does what when redhat.vscode-yaml looks at the same file. It knows YAML, and the JSON Schema that our manifest or a
 * modeline gives it; it does not know relations, the paper, presets or derived numbers. Whatever it does, we leave out.
 */
import type { DiagnosticCode } from '../diagnostic.ts';

/** The settings of redhat.vscode-yaml that matter; undefined when it is not installed. */
export interface OtherServer {
  validate: boolean;
  completion: boolean;
  hover: boolean;
  /** Whether it has our JSON Schema for this file. */
  hasSchema: boolean;
}

export interface Duties {
  diagnostics(code: DiagnosticCode): boolean;
  completion: boolean;
  /** The words of the schema and what follows from the values, or the latter alone. */
  hover: 'whole' | 'derived';
  /** An outline says no more than YAML's own structure, which the other server shows whatever its settings. */
  outline: boolean;
}

const saidBySchema: ReadonlySet<DiagnosticCode> = new Set(['unknownKey', 'invalidValue', 'missingKey', 'missingValue']);
const saidByParser: ReadonlySet<DiagnosticCode> = new Set(['syntax', 'unresolvedAlias']);

export function ourDuties(other: OtherServer | undefined): Duties {
  return {
    diagnostics: (code) => !other?.validate || !(saidByParser.has(code) || (other.hasSchema && saidBySchema.has(code))),
    completion: !(other?.completion && other.hasSchema),
    hover: other?.hover && other.hasSchema ? 'derived' : 'whole',
    outline: other === undefined,
  };
}
