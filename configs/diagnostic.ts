/** What is wrong with, or worth knowing about, a place in a YAML file; the same in the editor and the terminal. */

export type Severity = 'error' | 'warning' | 'information';

export type DiagnosticCode =
  | 'syntax'
  | 'unresolvedAlias'
  | 'unknownKey'
  | 'invalidValue'
  | 'missingKey'
  | 'missingValue'
  | 'extendsMissing'
  | 'extendsInvalid'
  | 'extendsCycle'
  | 'relation'
  | 'ignored'
  | 'paper';

/** Replaces text[start, end). */
export interface TextEdit {
  start: number;
  end: number;
  text: string;
}

/** What would mend it; `quickFixes` turns it into edits when somebody asks. */
export type Suggestion =
  | { kind: 'rename'; to: string }
  | { kind: 'set'; path: string | readonly string[]; value: unknown }
  | { kind: 'move'; to: string }
  | { kind: 'remove' };

/** A place in a text: offsets from 0, lines and columns from 1. */
export interface Place {
  start: number;
  end: number;
  line: number;
  column: number;
}

export interface Diagnostic extends Place {
  severity: Severity;
  code: DiagnosticCode;
  /** Names the thing, says what was expected and what came. */
  message: string;
  /** What to do about it; one sentence, or empty. */
  remedy: string;
  /** Dotted path of the key, '' for the whole file. */
  path: string;
  /** The same path by its parts: a sweep's keys hold dots themselves. */
  keys: readonly (string | number)[];
  /** Where the other keys stand that it is about, as far as the text writes them. */
  others?: (Place & { path: string })[];
  /** Where a paper-aware remark comes from. */
  source?: string;
  suggestions: Suggestion[];
}

/** The whole sentence that editor and terminal show. */
export function sentence(diagnostic: Pick<Diagnostic, 'message' | 'remedy' | 'source'>): string {
  const { message, remedy, source } = diagnostic;
  return [message, remedy, source ? `(${source})` : ''].filter(Boolean).join(' ');
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}

/** Terminal form: every diagnostic with its line, a caret under the place, and the remedy. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], text: string, path: string): string {
  const lines = text.split(/\r?\n/);
  return diagnostics
    .map((diagnostic) => {
      const { line, column, start, end, severity } = diagnostic;
      const shown = lines[line - 1] ?? '';
      const gutter = String(line);
      const blank = ' '.repeat(gutter.length);
      const length = Math.max(1, Math.min(end - start, shown.length - column + 1));
      return [
        `${path}:${line}:${column} ${severity}: ${sentence(diagnostic)}`,
        `${gutter} | ${shown}`,
        `${blank} | ${shown.slice(0, column - 1).replace(/[^\t]/g, ' ')}${'^'.repeat(length)}`,
      ].join('\n');
    })
    .join('\n');
}

/** 'no problems', or '2 errors, 1 warning'. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const parts: string[] = [];
  for (const severity of ['error', 'warning', 'information'] as const) {
    const count = diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
    const name =
      severity === 'information' ? (count === 1 ? 'remark' : 'remarks') : `${severity}${count === 1 ? '' : 's'}`;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(', ') || 'no problems';
}
