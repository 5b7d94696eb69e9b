import type { Lowering } from './lowering.ts';

/** erf differs from 1 by less than half a unit in the last place of a double beyond this. */
const SATURATED = 6;
/** Enough for the series to end below 1e-17 of its sum at x = 6. */
const TERMS = 125;

/**
 * The error function in 64 bits, which ONNX Runtime's CPU provider lacks, in elementary operators:
 *
 *     erf(x) = 2/sqrt(pi) x e^(-x^2) sum_n 2^n x^(2n) / (1 3 5 ... (2n+1))
 *
 * All terms have one sign, so that nothing cancels, and the series is summed as a polynomial in x^2 by Horner's rule. e^(-x^2) is split at h, x
 * rounded to sixteenths, into e^(-h^2) e^(-(x-h)(x+h)): h^2 is exact, and the rounding of x^2 is not blown up by the exponential.
 * The relative error is a few 1e-16. Slow, and meant for checking numbers, not for training.
 */
export function erfInDouble(lowering: Lowering, x: string): string {
  const clipped = lowering.emit('Min', [
    lowering.emit('Max', [x, lowering.scalar(-SATURATED)]),
    lowering.scalar(SATURATED),
  ]);
  const square = lowering.emit('Mul', [clipped, clipped]);

  // Coefficients from the last to the first: c_n = c_(n-1) * 2 / (2n + 1).
  const coefficients = [1];
  for (let n = 1; n < TERMS; n++) coefficients.push((coefficients[n - 1]! * 2) / (2 * n + 1));
  let sum = lowering.scalar(coefficients.at(-1)!);
  for (const coefficient of coefficients.slice(0, -1).reverse()) {
    sum = lowering.emit('Add', [lowering.emit('Mul', [sum, square]), lowering.scalar(coefficient)]);
  }

  const sixteenths = lowering.emit('Floor', [lowering.emit('Mul', [clipped, lowering.scalar(16)])]);
  const h = lowering.emit('Mul', [sixteenths, lowering.scalar(1 / 16)]);
  const rest = lowering.emit('Mul', [lowering.emit('Sub', [clipped, h]), lowering.emit('Add', [clipped, h])]);
  const decay = lowering.emit('Mul', [
    lowering.emit('Exp', [lowering.emit('Neg', [lowering.emit('Mul', [h, h])])]),
    lowering.emit('Exp', [lowering.emit('Neg', [rest])]),
  ]);

  const scaled = lowering.emit('Mul', [clipped, lowering.scalar(2 / Math.sqrt(Math.PI))]);
  return lowering.emit('Mul', [lowering.emit('Mul', [scaled, decay]), sum]);
}
