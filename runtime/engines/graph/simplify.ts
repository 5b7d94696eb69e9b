import { broadcastShapes, sameShape, type Op, type Value } from './ir.ts';
import type { Candidate, ValueMaker } from './rewriting.ts';

/**
 * An equal value that costs less, or undefined. Gradients written for every case leave much to remove: products with ones, sums with
 * zeros, repetitions that broadcasting makes anyway, reshapes of reshapes, transposes in front of products.
 *
 * Rewrites keep every finite result's bits.
 */
export function simplify(graph: ValueMaker, candidate: Candidate): Value | undefined {
  const { op, inputs, shape, type } = candidate;
  const x = inputs[0]!;
  switch (op.kind) {
    case 'binary':
      return simplifyBinary(graph, candidate, op);
    case 'unary':
      if (op.fn === 'negate' && isUnary(x, 'negate')) return x.inputs[0];
      return undefined;
    case 'cast':
      if (x.type === type) return x;
      return undefined;
    case 'reshape':
      if (sameShape(x.shape, shape)) return x;
      if (x.op.kind === 'reshape') return graph.apply(op, [x.inputs[0]!], shape, type);
      return undefined;
    case 'expand':
      return sameShape(x.shape, shape) ? x : undefined;
    case 'slice':
      return sameShape(x.shape, shape) && op.strides.every((stride) => stride > 0) ? x : undefined;
    case 'concat':
      return inputs.length === 1 ? x : undefined;
    case 'tile':
      return op.repeats.every((count) => count === 1) ? x : undefined;
    case 'pad':
      return sameShape(x.shape, shape) ? x : undefined;
    case 'reduce':
      // Along axes of length 1 there is nothing to reduce.
      return op.axes.every((axis) => x.shape[axis] === 1)
        ? graph.apply({ kind: 'reshape' }, [x], shape, type)
        : undefined;
    case 'transpose':
      return simplifyTranspose(graph, candidate, op.permutation);
    case 'matmul':
      return absorbTransposes(graph, candidate, op);
    default:
      return undefined;
  }
}

function simplifyBinary(
  graph: ValueMaker,
  { inputs, shape, type }: Candidate,
  op: Op & { kind: 'binary' },
): Value | undefined {
  const [a, b] = inputs as [Value, Value];
  const keepsLeft =
    ((op.fn === 'add' || op.fn === 'subtract') && isUniform(b, 0)) ||
    ((op.fn === 'multiply' || op.fn === 'divide' || op.fn === 'power') && isUniform(b, 1));
  if (keepsLeft) return expand(graph, a, shape);
  const keepsRight = (op.fn === 'add' && isUniform(a, 0)) || (op.fn === 'multiply' && isUniform(a, 1));
  if (keepsRight) return expand(graph, b, shape);
  if (op.fn === 'power' && isUniform(b, 2)) return graph.apply({ kind: 'binary', fn: 'multiply' }, [a, a], shape, type);

  // Broadcasting makes the repetition anyway.
  const lighterA = withoutRepetition(graph, a, b, shape);
  const lighterB = withoutRepetition(graph, b, lighterA, shape);
  if (lighterA !== a || lighterB !== b) return graph.apply(op, [lighterA, lighterB], shape, type);
  return undefined;
}

/** `value` with its repetition taken off, if the result keeps its shape through the other operand. */
function withoutRepetition(graph: ValueMaker, value: Value, other: Value, shape: readonly number[]): Value {
  if (value.op.kind === 'expand' && sameShape(broadcastShapes(value.inputs[0]!.shape, other.shape), shape)) {
    return value.inputs[0]!;
  }
  if (isUniform(value) && value.shape.length > 0 && sameShape(other.shape, shape)) {
    return graph.constant(value.op.data, [], value.type);
  }
  return value;
}

function simplifyTranspose(
  graph: ValueMaker,
  { inputs, shape, type }: Candidate,
  permutation: readonly number[],
): Value | undefined {
  const x = inputs[0]!;
  if (permutation.every((axis, index) => axis === index)) return x;
  if (x.op.kind === 'transpose') {
    const inner = x.op.permutation;
    return graph.apply(
      { kind: 'transpose', permutation: permutation.map((axis) => inner[axis]!) },
      x.inputs,
      shape,
      type,
    );
  }
  // Only axes of length 1 change places: the elements stay where they are.
  const moved = permutation.filter((axis) => x.shape[axis] !== 1);
  if (moved.every((axis, index) => index === 0 || axis > moved[index - 1]!))
    return graph.apply({ kind: 'reshape' }, [x], shape, type);
  return undefined;
}

/** A product reads its operands in either orientation. */
function absorbTransposes(
  graph: ValueMaker,
  { inputs, shape, type }: Candidate,
  op: Op & { kind: 'matmul' },
): Value | undefined {
  const [a, b] = inputs as [Value, Value];
  const swapsA = swapsLastAxes(a);
  const swapsB = swapsLastAxes(b);
  if (!swapsA && !swapsB) return undefined;
  const absorbed: Op = { ...op, transposeA: op.transposeA !== swapsA, transposeB: op.transposeB !== swapsB };
  return graph.apply(absorbed, [swapsA ? a.inputs[0]! : a, swapsB ? b.inputs[0]! : b], shape, type);
}

function swapsLastAxes({ op }: Value): boolean {
  if (op.kind !== 'transpose') return false;
  const rank = op.permutation.length;
  return op.permutation.every((axis, index) => axis === (index < rank - 2 ? index : 2 * rank - 3 - index));
}

export function expand(graph: ValueMaker, value: Value, shape: readonly number[]): Value {
  return graph.apply({ kind: 'expand' }, [value], shape, value.type);
}

type UniformValue = Value & { op: { kind: 'constant'; data: Float64Array } };

/** One element for all, of the stated value if one is stated. */
function isUniform(value: Value, element?: number): value is UniformValue {
  if (value.op.kind !== 'constant' || value.op.data.length !== 1) return false;
  return element === undefined || value.op.data[0] === element;
}

function isUnary(value: Value, fn: string): boolean {
  return value.op.kind === 'unary' && value.op.fn === fn;
}
