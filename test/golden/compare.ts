/**
 * Comparison with reference numbers: `|got - expected| <= atol + rtol |expected|` for every element, or an error that names the worst one.
 * A number that is not finite never passes, on either side.
 */
import { expect } from 'vitest';

export interface Tolerance {
  rtol: number;
  atol: number;
}

/** The tolerances that go with the reference numbers: double against double, single against double. */
export const tolerances = {
  /** `1e-9 max(1, |b|)`. */
  double: { rtol: 1e-9, atol: 1e-9 },
  /** After several AdamW steps. */
  doubleTrajectory: { rtol: 1e-7, atol: 1e-7 },
  singleLoss: { rtol: 1e-4, atol: 1e-5 },
  singleGradient: { rtol: 1e-3, atol: 1e-4 },
} satisfies Record<string, Tolerance>;

export interface ReferenceTensor {
  shape: number[];
  data: number[];
}

export interface Comparison {
  elements: number;
  worstIndex: number;
  absoluteError: number;
  relativeError: number;
}

/** Throws unless every element is close; returns the worst element. */
export function expectClose(
  what: string,
  got: ArrayLike<number> | number,
  expected: ReferenceTensor | ArrayLike<number> | number,
  { rtol, atol }: Tolerance,
): Comparison {
  const actual = typeof got === 'number' ? [got] : got;
  const reference = typeof expected === 'number' ? [expected] : 'data' in expected ? expected.data : expected;
  if (actual.length !== reference.length) {
    throw new Error(`${what}: expected ${reference.length} elements, got ${actual.length}.`);
  }
  let worst: Comparison = { elements: actual.length, worstIndex: -1, absoluteError: 0, relativeError: 0 };
  let worstExcess = -Infinity;
  for (let index = 0; index < actual.length; index++) {
    const a = actual[index]!;
    const b = reference[index]!;
    if (typeof a !== 'number' || typeof b !== 'number' || !Number.isFinite(a) || !Number.isFinite(b)) {
      throw new Error(`${what}: element ${index} is not finite: expected ${b}, got ${a}.`);
    }
    const error = Math.abs(a - b);
    const excess = error / (atol + rtol * Math.abs(b));
    if (excess > worstExcess) {
      worstExcess = excess;
      worst = { ...worst, worstIndex: index, absoluteError: error, relativeError: error / Math.abs(b) };
    }
  }
  if (worstExcess > 1) {
    const { worstIndex, absoluteError, relativeError } = worst;
    throw new Error(
      `${what}: worst of ${actual.length} elements is ${worstIndex}: expected ${reference[worstIndex]}, got ${actual[worstIndex]} ` +
        `(absolute error ${absoluteError.toExponential(2)}, relative ${relativeError.toExponential(2)}; ` +
        `allowed ${atol} + ${rtol} |expected|).`,
    );
  }
  noteWorst(what, worst);
  return worst;
}

interface Noted extends Comparison {
  what: string;
}

const noted = new Map<string, Noted>();

/** Errors are counted as the tolerances count them: absolute below 1, relative above. */
const errorOf = ({ absoluteError, relativeError }: Comparison) => Math.min(absoluteError, relativeError || absoluteError);

function noteWorst(what: string, comparison: Comparison): void {
  const test = expect.getState().currentTestName ?? '';
  const key = /float32$/.test(test) ? 'float32' : 'float64';
  const known = noted.get(key);
  if (!known || errorOf(comparison) > errorOf(known)) noted.set(key, { what, ...comparison });
}

/** The worst element of each precision since the last call, for the table that `npm run test:golden` ends with. */
export function takeWorst(): { precision: string; what: string; error: number }[] {
  const worst = [...noted].map(([precision, comparison]) => ({
    precision,
    what: comparison.what,
    error: errorOf(comparison),
  }));
  noted.clear();
  return worst;
}
