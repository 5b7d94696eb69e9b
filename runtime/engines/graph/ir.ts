/**
 * The intermediate representation: a step as a directed acyclic graph of values.
 *
 * A value is made by exactly one operation from other values, has a static shape and an element type, and never changes. There are no
 * separate nodes and edges: an operation with its result *is* the value. `real` is the element type of every floating number; whether
 * that means 32 or 64 bits is decided by whoever executes the graph.
 */
export type ElementType = 'real' | 'int32' | 'bool' | 'uint8';

export type Shape = readonly number[];

export interface Value {
  readonly id: number;
  readonly op: Op;
  readonly inputs: readonly Value[];
  readonly shape: Shape;
  readonly type: ElementType;
}

export type UnaryFunction =
  | 'negate'
  | 'absolute'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'reciprocal'
  | 'erf'
  | 'tanh'
  | 'sigmoid'
  | 'sin'
  | 'cos'
  | 'sign'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'not'
  | 'isNaN';

export type BinaryFunction = 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'minimum' | 'power' | 'modulo';

export type Comparison = 'equal' | 'greater' | 'greaterOrEqual' | 'less' | 'lessOrEqual' | 'and' | 'or';

export type Reduction = 'sum' | 'mean' | 'max' | 'min' | 'product';

export type Op =
  | { readonly kind: 'input'; readonly name: string }
  /** `data` holds every element, or one that stands for all of them. Booleans are 0 and 1. */
  | { readonly kind: 'constant'; readonly data: Float64Array }
  | { readonly kind: 'unary'; readonly fn: UnaryFunction }
  /** Operands broadcast as in numpy. */
  | { readonly kind: 'binary'; readonly fn: BinaryFunction }
  | { readonly kind: 'compare'; readonly fn: Comparison }
  /** (condition, whenTrue, whenFalse), broadcasting. */
  | { readonly kind: 'select' }
  | { readonly kind: 'cast' }
  /** `(A or A^T)(B or B^T)`, leading axes broadcasting. `mixed`: an executor may round the operands to 16 bits. */
  | { readonly kind: 'matmul'; readonly transposeA: boolean; readonly transposeB: boolean; readonly mixed?: true }
  | { readonly kind: 'reduce'; readonly fn: Reduction; readonly axes: readonly number[]; readonly keepDims: boolean }
  | { readonly kind: 'argReduce'; readonly fn: 'argMax' | 'argMin'; readonly axis: number }
  | { readonly kind: 'softmax' | 'logSoftmax'; readonly axis: number }
  | { readonly kind: 'cumulativeSum'; readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean }
  /** One of the two results of a top-k search along the last axis. */
  | { readonly kind: 'topK'; readonly k: number; readonly result: 'values' | 'indices' }
  /** One of the results of a layer normalisation of (x, weight, bias) along the last axis. */
  | { readonly kind: 'layerNorm'; readonly epsilon: number; readonly result: 'output' | 'mean' | 'inverseDeviation' }
  | { readonly kind: 'reshape' }
  | { readonly kind: 'transpose'; readonly permutation: readonly number[] }
  /** Repeats axes of length 1 up to the value's shape. */
  | { readonly kind: 'expand' }
  | { readonly kind: 'slice'; readonly begin: readonly number[]; readonly strides: readonly number[] }
  | { readonly kind: 'concat'; readonly axis: number }
  | {
      readonly kind: 'pad';
      readonly before: readonly number[];
      readonly after: readonly number[];
      readonly fill: number;
    }
  | { readonly kind: 'tile'; readonly repeats: readonly number[] }
  | { readonly kind: 'gather'; readonly axis: number }
  /** One of the results of factorising small positive definite matrices, the last two axes: L^-1 with A = L L^T, or the sum of ln L_ii. */
  | { readonly kind: 'choleskyInverse'; readonly result: 'inverse' | 'halfLogDet' }
  /** The sum over the processes that train together; see stages.ts. */
  | { readonly kind: 'sumOverRanks' }
  | { readonly kind: 'oneHot'; readonly depth: number; readonly on: number; readonly off: number };

/** A step: what it is given by name, and what it returns by name. */
export interface Graph {
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, length) => product * length, 1);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((length, axis) => length === b[axis]);

/** The shape of an elementwise result, as numpy broadcasts. */
export function broadcastShapes(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const lengthA = a[axis - rank + a.length] ?? 1;
    const lengthB = b[axis - rank + b.length] ?? 1;
    if (lengthA !== lengthB && lengthA !== 1 && lengthB !== 1) {
      throw new Error(`internal: graph: shapes [${a}] and [${b}] do not broadcast.`);
    }
    return lengthA === 1 ? lengthB : lengthA;
  });
}
