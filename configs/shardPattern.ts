/** Several shards as one `data.path`: `train-{0000..0003}.tar`, `{a,b}.tar`, `*.tar`, `part-?.parquet`. */
export function isShardPattern(path: string): boolean {
  return /[*?{]/.test(path);
}

/** The part of a pattern that names a folder: everything before the last separator in front of its first sign. */
export function patternFolder(pattern: string): string {
  const literal = pattern.slice(0, pattern.search(/[*?{]/));
  const separator = Math.max(literal.lastIndexOf('/'), literal.lastIndexOf('\\'));
  return separator < 0 ? '.' : literal.slice(0, separator) || '/';
}

/**
 * Every alternative of a pattern's braces, in their order: `{08..10}` counts with leading zeros, `{a,b}` lists. Braces
 * without `..` or `,` stand for themselves. At most `limit` results; undefined for more.
 */
export function expandBraces(pattern: string, limit = 100_000): string[] | undefined {
  const parts: string[][] = [];
  let literal = 0;
  for (const match of pattern.matchAll(/\{([^{}]*)\}/g)) {
    const alternatives = alternativesOf(match[1]!, limit);
    if (alternatives === null) continue;
    if (alternatives === undefined) return undefined;
    parts.push([pattern.slice(literal, match.index)], alternatives);
    literal = match.index + match[0].length;
  }
  parts.push([pattern.slice(literal)]);
  let expanded = [''];
  for (const alternatives of parts) {
    if (expanded.length * alternatives.length > limit) return undefined;
    expanded = expanded.flatMap((start) => alternatives.map((alternative) => start + alternative));
  }
  return expanded;
}

/** null where the braces mean nothing, undefined where they mean too much. */
function alternativesOf(inside: string, limit: number): string[] | null | undefined {
  const range = /^(\d{1,9})\.\.(\d{1,9})$/.exec(inside);
  if (range) {
    const [first, last] = [Number(range[1]), Number(range[2])];
    const count = Math.abs(last - first) + 1;
    if (count > limit) return undefined;
    const digits = /^0\d/.test(range[1]!) || /^0\d/.test(range[2]!) ? Math.max(range[1]!.length, range[2]!.length) : 0;
    return Array.from({ length: count }, (_, i) => String(first + (last >= first ? i : -i)).padStart(digits, '0'));
  }
  return inside.includes(',') ? inside.split(',') : null;
}
