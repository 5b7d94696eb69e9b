/** Large tensors are kept as their norm, their sum and their first elements. */
import type { Precision } from '../../runtime/engines/engine.ts';
import { expectClose, tolerances } from './compare.ts';
import type { ReferenceTensor, Tolerance } from './compare.ts';

export interface Summary {
  l2: number;
  sum?: number;
  first4: ReferenceTensor;
}

/** In single precision the sum is left out: it cancels. */
export function expectSummary(
  what: string,
  got: ArrayLike<number>,
  { l2, sum, first4 }: Summary,
  options: { precision: Precision; tolerance?: Tolerance },
): void {
  const isDouble = options.precision === 'float64';
  const tolerance = options.tolerance ?? (isDouble ? tolerances.double : tolerances.singleGradient);
  expectClose(`${what}, norm`, norm(got), l2, tolerance);
  expectClose(`${what}, first elements`, Array.from(got).slice(0, first4.data.length), first4, tolerance);
  if (isDouble && sum !== undefined) expectClose(`${what}, sum`, total(got), sum, tolerance);
}

export function norm(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value ** 2, 0));
}

function total(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0);
}
