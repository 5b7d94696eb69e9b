import type { GraphBuilder } from '../../graph/builder.ts';
import {
  broadcastShapes,
  type BinaryFunction,
  type Comparison,
  type ElementType,
  type UnaryFunction,
  type Value,
} from '../../graph/ir.ts';
import { elementTypeOf } from '../recordingBackend.ts';
import { cast, registerKernels, unary, type Kernel } from '../kernel.ts';

const ofUnary =
  (fn: UnaryFunction): Kernel =>
  ({ graph, operand }) =>
    unary(graph, fn, operand('x'));

const ofBinary =
  (fn: BinaryFunction): Kernel =>
  ({ graph, operand }) =>
    binary(graph, fn, operand('a'), operand('b'));

const ofComparison =
  (fn: Comparison): Kernel =>
  ({ graph, operand }) =>
    compare(graph, fn, operand('a'), operand('b'));

/** A formula in one operand. */
const ofFormula =
  (formula: (graph: GraphBuilder, x: Value) => Value): Kernel =>
  ({ graph, operand }) =>
    formula(graph, operand('x'));

registerKernels({
  Neg: ofUnary('negate'),
  Abs: ofUnary('absolute'),
  Exp: ofUnary('exp'),
  Log: ofUnary('log'),
  Sqrt: ofUnary('sqrt'),
  Reciprocal: ofUnary('reciprocal'),
  Erf: ofUnary('erf'),
  Tanh: ofUnary('tanh'),
  Sigmoid: ofUnary('sigmoid'),
  Sin: ofUnary('sin'),
  Cos: ofUnary('cos'),
  Sign: ofUnary('sign'),
  Floor: ofUnary('floor'),
  Ceil: ofUnary('ceil'),
  Round: ofUnary('round'),
  LogicalNot: ofUnary('not'),
  IsNan: ofUnary('isNaN'),

  Add: ofBinary('add'),
  Sub: ofBinary('subtract'),
  Multiply: ofBinary('multiply'),
  RealDiv: ofBinary('divide'),
  Maximum: ofBinary('maximum'),
  Minimum: ofBinary('minimum'),
  Pow: ofBinary('power'),
  Mod: ofBinary('modulo'),

  Equal: ofComparison('equal'),
  Greater: ofComparison('greater'),
  GreaterEqual: ofComparison('greaterOrEqual'),
  Less: ofComparison('less'),
  LessEqual: ofComparison('lessOrEqual'),
  LogicalAnd: ofComparison('and'),
  LogicalOr: ofComparison('or'),
  NotEqual: ({ graph, operand }) => unary(graph, 'not', compare(graph, 'equal', operand('a'), operand('b'))),

  Square: ofFormula((graph, x) => binary(graph, 'multiply', x, x)),
  Rsqrt: ofFormula((graph, x) => unary(graph, 'reciprocal', unary(graph, 'sqrt', x))),
  Relu: ofFormula((graph, x) => binary(graph, 'maximum', x, graph.scalar(0, x.type))),
  Softplus: ofFormula(softplus),
  Log1p: ofFormula(log1p),
  Expm1: ofFormula(expm1),
  SquaredDifference: ({ graph, operand }) => {
    const difference = binary(graph, 'subtract', operand('a'), operand('b'));
    return binary(graph, 'multiply', difference, difference);
  },
  FloorDiv: ({ graph, operand }) => {
    const [a, b] = [cast(graph, operand('a'), 'real'), cast(graph, operand('b'), 'real')];
    return cast(graph, unary(graph, 'floor', binary(graph, 'divide', a, b)), operand('a').type);
  },
  AddN: ({ graph, operands }) => operands.reduce((sum, term) => binary(graph, 'add', sum, term)),

  Step: ({ graph, operand, attributes }) => {
    const { alpha } = attributes as { alpha: number };
    const x = operand('x');
    const positive = compare(graph, 'greater', x, graph.scalar(0, x.type));
    return select(graph, positive, graph.scalar(1, x.type), graph.scalar(alpha, x.type));
  },
  ClipByValue: ({ graph, operand, attributes }) => {
    const { clipValueMin, clipValueMax } = attributes as { clipValueMin: number; clipValueMax: number };
    const x = operand('x');
    const floored = binary(graph, 'maximum', x, graph.scalar(clipValueMin, x.type));
    return binary(graph, 'minimum', floored, graph.scalar(clipValueMax, x.type));
  },
  Select: ({ graph, operand }) => select(graph, operand('condition'), operand('t'), operand('e')),
  Cast: ({ graph, operand, attributes }) => {
    const x = operand('x');
    const to = elementTypeOf((attributes as { dtype: 'float32' | 'int32' | 'bool' }).dtype);
    if (to === 'bool') return unary(graph, 'not', compare(graph, 'equal', x, graph.scalar(0, x.type)));
    return cast(graph, x, to);
  },
});

export function binary(graph: GraphBuilder, fn: BinaryFunction, a: Value, b: Value): Value {
  const type: ElementType = a.type === 'real' || b.type === 'real' ? 'real' : 'int32';
  const shape = broadcastShapes(a.shape, b.shape);
  return graph.apply({ kind: 'binary', fn }, [cast(graph, a, type), cast(graph, b, type)], shape, type);
}

export function compare(graph: GraphBuilder, fn: Comparison, a: Value, b: Value): Value {
  return graph.apply({ kind: 'compare', fn }, [a, b], broadcastShapes(a.shape, b.shape), 'bool');
}

function select(graph: GraphBuilder, condition: Value, whenTrue: Value, whenFalse: Value): Value {
  const shape = broadcastShapes(condition.shape, broadcastShapes(whenTrue.shape, whenFalse.shape));
  return graph.apply({ kind: 'select' }, [condition, whenTrue, whenFalse], shape, whenTrue.type);
}

/** ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|), which never overflows. */
function softplus(graph: GraphBuilder, x: Value): Value {
  const decayed = unary(graph, 'exp', unary(graph, 'negate', unary(graph, 'absolute', x)));
  return binary(graph, 'add', binary(graph, 'maximum', x, graph.scalar(0)), log1p(graph, decayed));
}

/** ln(1 + x) = ln u - ((u - 1) - x) / u with u = 1 + x: the second term gives back what rounding u lost. */
function log1p(graph: GraphBuilder, x: Value): Value {
  const u = binary(graph, 'add', x, graph.scalar(1));
  const lost = binary(graph, 'subtract', binary(graph, 'subtract', u, graph.scalar(1)), x);
  return binary(graph, 'subtract', unary(graph, 'log', u), binary(graph, 'divide', lost, u));
}

/** e^x - 1 = 2 t / (1 - t) with t = tanh(x / 2): no cancellation near 0. */
function expm1(graph: GraphBuilder, x: Value): Value {
  const t = unary(graph, 'tanh', binary(graph, 'multiply', x, graph.scalar(0.5)));
  const twice = binary(graph, 'multiply', t, graph.scalar(2));
  return binary(graph, 'divide', twice, binary(graph, 'subtract', graph.scalar(1), t));
}
