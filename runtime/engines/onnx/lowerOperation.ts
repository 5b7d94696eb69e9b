import type { BinaryFunction, Comparison, Reduction, UnaryFunction, Value } from '../graph/ir.ts';
import { erfInDouble } from './erfInDouble.ts';
import type { Lowering } from './lowering.ts';
import { elementType } from './model.ts';
import { productOnCores, transpositions } from './productOnCores.ts';

/** Appends what computes `value` and returns the result's name. */
export function lowerOperation(lowering: Lowering, value: Value): string {
  const { op, shape, type } = value;
  const names = value.inputs.map((input) => lowering.nameOf(input));
  const [x, y] = names as [string, string];
  const source = value.inputs[0]!;

  switch (op.kind) {
    case 'unary':
      if (op.fn === 'erf' && lowering.target.precision === 'float64') return erfInDouble(lowering, x);
      return lowering.emit(unaryOperators[op.fn], [x]);
    case 'binary':
      return op.fn === 'modulo' ? modulo(lowering, x, y, type) : lowering.emit(binaryOperators[op.fn], names);
    case 'compare':
      return lowering.emit(comparisonOperators[op.fn], names);
    case 'select':
      return lowering.emit('Where', names);
    case 'cast':
      return lowering.emit('Cast', [x], { to: { integer: elementType[lowering.typeOf(type)] } });
    case 'matmul':
      return product(lowering, value, op);
    case 'reduce':
      return lowering.emit(reductionOperators[op.fn], [x, lowering.integers(op.axes)], {
        keepdims: { integer: Number(op.keepDims) },
      });
    case 'argReduce': {
      const found = lowering.emit(op.fn === 'argMax' ? 'ArgMax' : 'ArgMin', [x], {
        axis: { integer: op.axis },
        keepdims: { integer: 0 },
      });
      return lowering.emit('Cast', [found], { to: { integer: elementType.int32 } });
    }
    case 'softmax':
      return lowering.emit('Softmax', [x], { axis: { integer: op.axis } });
    case 'logSoftmax':
      return lowering.emit('LogSoftmax', [x], { axis: { integer: op.axis } });
    case 'cumulativeSum':
      return lowering.emit('CumSum', [x, lowering.integer(op.axis)], {
        exclusive: { integer: Number(op.exclusive) },
        reverse: { integer: Number(op.reverse) },
      });
    case 'topK': {
      const [values, indices] = lowering.once(`topK ${x} ${op.k}`, () =>
        lowering.emitMany('TopK', [x, lowering.integers([op.k])], 2),
      ) as [string, string];
      return op.result === 'values' ? values : lowering.emit('Cast', [indices], { to: { integer: elementType.int32 } });
    }
    case 'layerNorm':
      return layerNorm(lowering, names, op.epsilon)[op.result];
    case 'reshape':
      return lowering.emit('Reshape', [x, lowering.integers(shape)]);
    case 'transpose':
      return lowering.emit('Transpose', [x], { perm: { integers: op.permutation } });
    case 'expand':
      return lowering.emit('Expand', [x, lowering.integers(shape)]);
    case 'slice': {
      const axes = source.shape
        .map((_, axis) => axis)
        .filter((axis) => shape[axis] !== source.shape[axis] || op.strides[axis] !== 1);
      const begin = axes.map((axis) => op.begin[axis]!);
      const end = axes.map((axis) => pastEnd(op.begin[axis]!, shape[axis]!, op.strides[axis]!));
      const strides = axes.map((axis) => op.strides[axis]!);
      return lowering.emit('Slice', [x, ...[begin, end, axes, strides].map((list) => lowering.integers(list))]);
    }
    case 'concat':
      return lowering.emit('Concat', names, { axis: { integer: op.axis } });
    case 'pad':
      return lowering.emit('Pad', [x, lowering.integers([...op.before, ...op.after]), lowering.scalar(op.fill, type)]);
    case 'tile':
      return lowering.emit('Tile', [x, lowering.integers(op.repeats)]);
    case 'gather':
      return lowering.emit('Gather', names, { axis: { integer: op.axis } });
    case 'oneHot': {
      const column = lowering.emit('Unsqueeze', [x, lowering.integers([source.shape.length])]);
      const classes = lowering.vector(
        Array.from({ length: op.depth }, (_, index) => index),
        source.type,
      );
      const hit = lowering.emit('Equal', [column, classes]);
      return lowering.emit('Where', [hit, lowering.scalar(op.on, type), lowering.scalar(op.off, type)]);
    }
    // Sums are computed between two models; whole factors are recorded only for executors that have them.
    case 'input':
    case 'constant':
    case 'choleskyInverse':
    case 'sumOverRanks':
      throw new Error(`internal: lowering: ${op.kind} is not an operation.`);
  }
}

const unaryOperators: Record<UnaryFunction, string> = {
  negate: 'Neg',
  absolute: 'Abs',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  reciprocal: 'Reciprocal',
  erf: 'Erf',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  sin: 'Sin',
  cos: 'Cos',
  sign: 'Sign',
  floor: 'Floor',
  ceil: 'Ceil',
  round: 'Round',
  not: 'Not',
  isNaN: 'IsNaN',
};

const binaryOperators: Record<Exclude<BinaryFunction, 'modulo'>, string> = {
  add: 'Add',
  subtract: 'Sub',
  multiply: 'Mul',
  divide: 'Div',
  maximum: 'Max',
  minimum: 'Min',
  power: 'Pow',
};

const comparisonOperators: Record<Comparison, string> = {
  equal: 'Equal',
  greater: 'Greater',
  greaterOrEqual: 'GreaterOrEqual',
  less: 'Less',
  lessOrEqual: 'LessOrEqual',
  and: 'And',
  or: 'Or',
};

const reductionOperators: Record<Reduction, string> = {
  sum: 'ReduceSum',
  mean: 'ReduceMean',
  max: 'ReduceMax',
  min: 'ReduceMin',
  product: 'ReduceProd',
};

/**
 * The runtime's fused product reads transposed operands as they are, but in single precision and on the CPU only. On a GPU, Gemm does
 * for two axes.
 */
function product(lowering: Lowering, value: Value, op: Value['op'] & { kind: 'matmul' }): string {
  const [a, b] = value.inputs as [Value, Value];
  const [nameA, nameB] = [lowering.nameOf(a), lowering.nameOf(b)];
  const { precision, provider } = lowering.target;
  if (provider === 'cpu' && precision === 'float32') return productOnCores(lowering, value, op);
  if (!op.transposeA && !op.transposeB) return lowering.emit('MatMul', [nameA, nameB]);
  if (provider === 'webgpu' && a.shape.length === 2 && b.shape.length === 2)
    return lowering.emit('Gemm', [nameA, nameB], transpositions(op));
  const left = op.transposeA ? lowering.swapped(nameA, a.shape.length) : nameA;
  const right = op.transposeB ? lowering.swapped(nameB, b.shape.length) : nameB;
  return lowering.emit('MatMul', [left, right]);
}

/** One operator in single precision; in double, where it would keep its statistics in single precision, the formula. */
function layerNorm(lowering: Lowering, names: string[], epsilon: number) {
  return lowering.once(`layerNorm ${names} ${epsilon}`, () => {
    const [x, weight, bias] = names as [string, string, string];
    if (lowering.target.precision === 'float32') {
      const attributes = { axis: { integer: -1 }, epsilon: { float: epsilon } };
      const results = lowering.emitMany('LayerNormalization', names, 3, attributes);
      return { output: results[0]!, mean: results[1]!, inverseDeviation: results[2]! };
    }
    const meanOf = (name: string) =>
      lowering.emit('ReduceMean', [name, lowering.integers([-1])], { keepdims: { integer: 1 } });
    const mean = meanOf(x);
    const centred = lowering.emit('Sub', [x, mean]);
    const variance = meanOf(lowering.emit('Mul', [centred, centred]));
    const deviation = lowering.emit('Sqrt', [lowering.emit('Add', [variance, lowering.scalar(epsilon)])]);
    const inverseDeviation = lowering.emit('Reciprocal', [deviation]);
    const scaled = lowering.emit('Mul', [lowering.emit('Mul', [centred, inverseDeviation]), weight]);
    return { output: lowering.emit('Add', [scaled, bias]), mean, inverseDeviation };
  });
}

/** The sign of the divisor, as tfjs has it: a - b floor(a / b). */
function modulo(lowering: Lowering, a: string, b: string, type: Value['type']): string {
  if (type !== 'real') return lowering.emit('Mod', [a, b]);
  const quotient = lowering.emit('Floor', [lowering.emit('Div', [a, b])]);
  return lowering.emit('Sub', [a, lowering.emit('Mul', [b, quotient])]);
}

/** Where a slice ends. Counting down past position 0 needs a number that no position from the end can mean. */
function pastEnd(begin: number, length: number, stride: number): number {
  const end = begin + length * stride;
  return end < 0 ? Number.MIN_SAFE_INTEGER : end;
}
