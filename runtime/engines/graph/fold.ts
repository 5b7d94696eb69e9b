import { sizeOf, type BinaryFunction, type Comparison, type Shape, type UnaryFunction, type Value } from './ir.ts';
import type { Candidate, ValueMaker } from './rewriting.ts';

/** Larger results are left to the executor: the graph would carry them. One repeated element is always folded. */
const LARGEST_FOLDED_ELEMENTS = 4096;

/**
 * The constant that an operation on constants is, computed in doubles, or undefined where it is not one.
 * A graph executed in 64 bits thus keeps the full precision of what was written in JavaScript.
 */
export function fold(graph: ValueMaker, { op, inputs, shape, type }: Candidate): Value | undefined {
  if (inputs.length === 0) return undefined;
  const operands: ConstantValue[] = [];
  for (const input of inputs) {
    if (input.op.kind !== 'constant') return undefined;
    operands.push({ data: input.op.data, shape: input.shape });
  }
  const uniform = operands.every(({ data }) => data.length === 1);
  if (!uniform && sizeOf(shape) > LARGEST_FOLDED_ELEMENTS) return undefined;
  const constant = (data: Float64Array) => graph.constant(type === 'int32' ? data.map(Math.trunc) : data, shape, type);
  const [a, b] = operands as [ConstantValue, ConstantValue];

  switch (op.kind) {
    case 'unary':
      // No table of erf at hand, and no program applies it to constants.
      return op.fn === 'erf' ? undefined : constant(a.data.map(unary[op.fn]));
    case 'binary':
    case 'compare': {
      const fn = op.kind === 'binary' ? binary[op.fn] : comparison[op.fn];
      if (uniform) return constant(Float64Array.of(fn(a.data[0]!, b.data[0]!)));
      const left = spread(a, shape);
      const right = spread(b, shape);
      return constant(left.map((element, index) => fn(element, right[index]!)));
    }
    case 'cast':
      return constant(type === 'bool' ? a.data.map((element) => Number(element !== 0)) : a.data.slice());
    case 'reshape':
      return constant(a.data);
    case 'expand':
    case 'tile':
    case 'slice':
    case 'transpose':
    case 'gather':
      // Moving equal elements about changes nothing but the shape.
      if (a.data.length === 1) return constant(a.data);
      return op.kind === 'transpose' ? constant(transposed(a, op.permutation)) : undefined;
    case 'concat':
      return uniform && operands.every(({ data }) => Object.is(data[0], a.data[0])) ? constant(a.data) : undefined;
    default:
      return undefined;
  }
}

interface ConstantValue {
  readonly data: Float64Array;
  readonly shape: Shape;
}

const unary: Record<Exclude<UnaryFunction, 'erf'>, (x: number) => number> = {
  negate: (x) => -x,
  absolute: Math.abs,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  reciprocal: (x) => 1 / x,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  sin: Math.sin,
  cos: Math.cos,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfToEven,
  not: (x) => Number(x === 0),
  isNaN: (x) => Number(Number.isNaN(x)),
};

const binary: Record<BinaryFunction, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
  power: Math.pow,
  modulo: (a, b) => a - b * Math.floor(a / b),
};

const comparison: Record<Comparison, (a: number, b: number) => number> = {
  equal: (a, b) => Number(a === b),
  greater: (a, b) => Number(a > b),
  greaterOrEqual: (a, b) => Number(a >= b),
  less: (a, b) => Number(a < b),
  lessOrEqual: (a, b) => Number(a <= b),
  and: (a, b) => Number(a !== 0 && b !== 0),
  or: (a, b) => Number(a !== 0 || b !== 0),
};

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const fraction = x - floor;
  if (fraction !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** All elements of a constant, broadcast to `shape`. */
function spread({ data, shape: own }: ConstantValue, shape: Shape): Float64Array {
  if (data.length === 1) return new Float64Array(sizeOf(shape)).fill(data[0]!);
  const strides = stridesOf(own);
  const offset = shape.length - own.length;
  return Float64Array.from({ length: sizeOf(shape) }, (_, flat) => {
    let rest = flat;
    let index = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const position = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
      const ownAxis = axis - offset;
      if (ownAxis >= 0 && own[ownAxis] !== 1) index += position * strides[ownAxis]!;
    }
    return data[index]!;
  });
}

function transposed({ data, shape }: ConstantValue, permutation: readonly number[]): Float64Array {
  const strides = stridesOf(shape);
  const resultShape = permutation.map((axis) => shape[axis]!);
  return Float64Array.from({ length: data.length }, (_, flat) => {
    let rest = flat;
    let index = 0;
    for (let axis = resultShape.length - 1; axis >= 0; axis--) {
      index += (rest % resultShape[axis]!) * strides[permutation[axis]!]!;
      rest = Math.floor(rest / resultShape[axis]!);
    }
    return data[index]!;
  });
}

function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}
