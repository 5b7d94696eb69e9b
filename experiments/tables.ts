/** One table, written as Markdown, CSV or LaTeX (booktabs). */

export interface ResultTable {
  /** For the caption. */
  title: string;
  columns: ResultColumn[];
  rows: ResultCell[][];
}

export interface ResultColumn {
  label: string;
  /** The whole label where it is shortened, for a tooltip. */
  title?: string;
  /** Numbers are right-aligned. */
  kind: 'text' | 'number';
}

export type ResultCell =
  | { text: string }
  /** A value with, where it is a mean, its spread; `best` is set in bold. */
  | { value: number; decimals: number; spread?: { plusMinus: number; n: number }; best?: boolean }
  | null;

export function toMarkdown(table: ResultTable): string {
  const escape = (text: string) => text.replace(/[\\|]/g, '\\$&').replace(/\s+/g, ' ').replace(/[<>]/g, escapeAngle);
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const rows = table.rows.map((row) =>
    line(
      row.map((cell) => {
        const text = escape(plain(cell));
        return isBest(cell) ? `**${text}**` : text;
      }),
    ),
  );
  return [
    line(table.columns.map(({ label }) => escape(label))),
    line(table.columns.map(({ kind }) => (kind === 'number' ? '---:' : '---'))),
    ...rows,
    '',
  ].join('\n');
}

/** RFC 4180; full precision; a spread becomes two more columns. A leading = + - @ of text is quoted with an apostrophe. */
export function toCsv(table: ResultTable): string {
  const spreads = table.columns.map((_, i) => table.rows.some((row) => spreadOf(row[i] ?? null) !== undefined));
  const header = table.columns.flatMap(({ label }, i) => (spreads[i] ? [label, `${label} +-`, `${label} n`] : [label]));
  const rows = table.rows.map((row) =>
    row.flatMap((cell, i) => {
      const spread = spreadOf(cell);
      const value = cell === null ? '' : 'text' in cell ? guardFormula(cell.text) : String(cell.value);
      return spreads[i] ? [value, String(spread?.plusMinus ?? ''), String(spread?.n ?? '')] : [value];
    }),
  );
  return [header.map(guardFormula), ...rows].map((cells) => cells.map(quoteCsv).join(',')).join('\r\n') + '\r\n';
}

/** A table environment for `\usepackage{booktabs}`. */
export function toLatex(table: ResultTable): string {
  const columns = table.columns.map(({ kind }) => (kind === 'number' ? 'r' : 'l')).join('');
  const rows = table.rows.map((row) => `    ${row.map(latexCell).join(' & ')} \\\\`);
  return [
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${escapeLatex(table.title)}}`,
    `  \\begin{tabular}{${columns}}`,
    '    \\toprule',
    `    ${table.columns.map(({ label }) => escapeLatex(label)).join(' & ')} \\\\`,
    '    \\midrule',
    ...rows,
    '    \\bottomrule',
    '  \\end{tabular}',
    '\\end{table}',
    '',
  ].join('\n');
}

/** A cell as plain text: `71.2 +- 0.4 (n = 3)`. */
export function plain(cell: ResultCell): string {
  if (cell === null) return '\u2013';
  if ('text' in cell) return cell.text;
  const value = fixed(cell.value, cell.decimals);
  return cell.spread ? `${value} \u00b1 ${fixed(cell.spread.plusMinus, cell.decimals)} (n = ${cell.spread.n})` : value;
}

function latexCell(cell: ResultCell): string {
  if (cell === null) return '--';
  if ('text' in cell) return escapeLatex(cell.text);
  if (!Number.isFinite(cell.value)) return escapeLatex(fixed(cell.value, cell.decimals));
  const value = fixed(cell.value, cell.decimals);
  const spread = cell.spread ? ` \\pm ${fixed(cell.spread.plusMinus, cell.decimals)}` : '';
  return cell.best ? `$\\mathbf{${value}}${spread}$` : `$${value}${spread}$`;
}

const latexSpecials: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '\u2013': '--',
  '\u00b1': '$\\pm$',
};

function escapeLatex(text: string): string {
  return text.replace(/[\\~^\u2013\u00b1#$%&_{}]/g, (special) => latexSpecials[special] ?? `\\${special}`);
}

function fixed(value: number, decimals: number): string {
  return Number.isFinite(value) ? value.toFixed(decimals) : String(value);
}

function escapeAngle(angle: string): string {
  return angle === '<' ? '&lt;' : '&gt;';
}

function guardFormula(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

function quoteCsv(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

function isBest(cell: ResultCell): boolean {
  return cell !== null && 'value' in cell && cell.best === true;
}

function spreadOf(cell: ResultCell): { plusMinus: number; n: number } | undefined {
  return cell !== null && 'value' in cell ? cell.spread : undefined;
}
