/**
 * Parses one line of JSON, with the tokens NaN, Infinity and -Infinity accepted where JSON has no word for a number.
 * Undefined when the line is anything but a JSON object.
 */
export function parseJsonLine(text: string): Record<string, unknown> | undefined {
  const value = parse(text) ?? parse(quoteBareTokens(text));
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/**
 * A metric line with numbers only: the strings that stand for NaN and the infinities become numbers, other texts, nulls
 * and objects are left out. Undefined when there is no step to attach the values to.
 */
export function asMetricLine(line: Record<string, unknown>): Record<string, number> | undefined {
  // Nearly every line holds numbers alone, and is its own answer.
  if (holdsNumbersAlone(line)) return Number.isFinite(line['step']) ? line : undefined;
  const numbers: Record<string, number> = Object.create(null) as Record<string, number>;
  for (const key in line) {
    const value = asNumber(line[key]);
    if (value !== undefined) numbers[key] = value;
  }
  return Number.isFinite(numbers['step']) ? numbers : undefined;
}

function holdsNumbersAlone(line: Record<string, unknown>): line is Record<string, number> {
  for (const key in line) if (typeof line[key] !== 'number') return false;
  return true;
}

function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller counts the line as faulty
  }
}

/** Puts quotes around bare NaN and Infinity tokens, skipping over string literals. */
function quoteBareTokens(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
}
