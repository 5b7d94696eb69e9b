import type { MetricRow } from '../metricTable.ts';

/** Lines of more forms than this are left to the caller: their names hardly repeat. */
const mostForms = 8;
/** Powers of ten that a double holds exactly. */
const powersOfTen = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

const newline = 0x0a;
const plus = 0x2b;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const nine = 0x39;
const closingBrace = 0x7d;
const largeE = 0x45;
const smallE = 0x65;

/** Names in their order, and the bytes that stand before each value: `{"step":`, `,"loss":`. */
interface LineForm {
  names: string[];
  before: Uint8Array[];
  values: Float64Array;
  stepAt: number;
}

/**
 * Reads metric lines from their bytes, several times as fast as JSON.parse does, where a line has the names of one before
 * it in the same order, and plain numbers alone. Any other line - NaN, a text, a blank, a torn end - is left to the caller,
 * who parses it as JSON and shows its names by `learn`. Both give the same doubles.
 */
export class MetricLineReader {
  #forms: LineForm[] = [];

  /** `onRow` is given a row that is good until it returns: its values are written over by the next line. */
  constructor(private readonly onRow: (row: MetricRow) => void) {}

  /** Remembers the names of a line, one of which is `step`. */
  learn(names: string[]): void {
    if (this.#forms.length === mostForms) return;
    this.#forms.push({
      names,
      before: names.map((name, i) => Buffer.from(`${i === 0 ? '{' : ','}${JSON.stringify(name)}:`)),
      values: new Float64Array(names.length),
      stepAt: names.indexOf('step'),
    });
  }

  /**
   * Hands over the line that begins at `start`.
   *
   * @returns where its newline is; -1, and nothing is handed over, where the line is of no form that is known
   */
  take(bytes: Buffer, start: number): number {
    for (const form of this.#forms) {
      const end = readLine(bytes, start, form);
      if (end < 0) continue;
      const step = form.values[form.stepAt] as number;
      if (!Number.isFinite(step)) return -1;
      this.onRow({ names: form.names, values: form.values, step });
      return end;
    }
    return -1;
  }
}

/** Fills the values of a form from the line at `at`; returns where its newline is, or -1 where it is no such line. */
function readLine(bytes: Buffer, at: number, { before, values }: LineForm): number {
  for (let i = 0; i < before.length; i++) {
    const expected = before[i] as Uint8Array;
    for (let k = 0; k < expected.length; k++) if (bytes[at++] !== expected[k]) return -1;
    at = readNumber(bytes, at, values, i);
    if (at < 0) return -1;
  }
  return bytes[at] === closingBrace && bytes[at + 1] === newline ? at + 1 : -1;
}

/**
 * Puts the number that begins at `start` into `values[i]`; returns where it ends, or -1 where there is none of JSON's grammar.
 *
 * Its digits as one integer, divided by a power of ten, are the nearest double where neither is rounded (Clinger, "How to read
 * floating point numbers accurately", 1990); else the language converts it.
 */
function readNumber(bytes: Buffer, start: number, values: Float64Array, i: number): number {
  const isNegative = bytes[start] === minus;
  const first = isNegative ? start + 1 : start;
  let at = first;
  let digits = 0;
  let decimals = 0;
  let byte = bytes[at] as number;
  for (; byte >= zero && byte <= nine; byte = bytes[++at] as number) digits = digits * 10 + (byte - zero);
  if (at === first || (bytes[first] === zero && at > first + 1)) return -1;
  if (byte === point) {
    const whole = ++at;
    byte = bytes[at] as number;
    for (; byte >= zero && byte <= nine; byte = bytes[++at] as number) digits = digits * 10 + (byte - zero);
    decimals = at - whole;
    if (decimals === 0) return -1;
  }
  let hasExponent = false;
  if (byte === smallE || byte === largeE) {
    hasExponent = true;
    byte = bytes[++at] as number;
    if (byte === minus || byte === plus) at++;
    const power = at;
    while ((bytes[at] as number) >= zero && (bytes[at] as number) <= nine) at++;
    if (at === power) return -1;
  }
  if (hasExponent || digits > Number.MAX_SAFE_INTEGER || decimals >= powersOfTen.length) {
    values[i] = Number(bytes.toString('latin1', start, at));
  } else {
    const size = digits / (powersOfTen[decimals] as number);
    values[i] = isNegative ? -size : size;
  }
  return at;
}
