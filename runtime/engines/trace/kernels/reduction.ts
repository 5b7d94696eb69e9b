import type { GraphBuilder } from '../../graph/builder.ts';
import type { Reduction, Value } from '../../graph/ir.ts';
import { cast, registerKernels, unary, type Kernel } from '../kernel.ts';

const ofReduction =
  (fn: Reduction): Kernel =>
  ({ graph, operand, attributes }) => {
    // tfjs names the axes of Max otherwise than those of every other reduction.
    const { axis, reductionIndices, keepDims } = attributes as {
      axis?: number | number[] | null;
      reductionIndices?: number | number[] | null;
      keepDims?: boolean;
    };
    return reduce(graph, fn, operand('x'), axesOf(axis ?? reductionIndices, operand('x')), keepDims ?? false);
  };

const ofArgReduction =
  (fn: 'argMax' | 'argMin'): Kernel =>
  ({ graph, operand, attributes }) => {
    const x = operand('x');
    const axis = axesOf((attributes as { axis: number }).axis, x)[0]!;
    const shape = x.shape.filter((_, index) => index !== axis);
    return graph.apply({ kind: 'argReduce', fn, axis }, [x], shape, 'int32');
  };

registerKernels({
  Sum: ofReduction('sum'),
  Mean: ofReduction('mean'),
  Max: ofReduction('max'),
  Min: ofReduction('min'),
  Prod: ofReduction('product'),
  ArgMax: ofArgReduction('argMax'),
  ArgMin: ofArgReduction('argMin'),
  // Of truth values: "any" is the largest, "all" the smallest.
  Any: ofTruth('max'),
  All: ofTruth('min'),

  Softmax: ({ graph, operand, attributes }) => {
    const x = operand('logits');
    return graph.apply(
      { kind: 'softmax', axis: axesOf((attributes as { dim: number }).dim, x)[0]! },
      [x],
      x.shape,
      'real',
    );
  },
  LogSoftmax: ({ graph, operand, attributes }) => {
    const x = operand('logits');
    const axis = axesOf((attributes as { axis: number }).axis, x)[0]!;
    return graph.apply({ kind: 'logSoftmax', axis }, [x], x.shape, 'real');
  },
  // Not one of tfjs's kernels: runtime/ops/layerNorm.ts asks for it by name.
  LayerNorm: ({ graph, operand, attributes }) => {
    const { epsilon } = attributes as { epsilon: number };
    const operands = [operand('x'), operand('weight'), operand('bias')];
    const shape = operands[0]!.shape;
    const column = shape.with(-1, 1);
    return [
      graph.apply({ kind: 'layerNorm', epsilon, result: 'output' }, operands, shape, 'real'),
      graph.apply({ kind: 'layerNorm', epsilon, result: 'mean' }, operands, column, 'real'),
      graph.apply({ kind: 'layerNorm', epsilon, result: 'inverseDeviation' }, operands, column, 'real'),
    ];
  },
  Cumsum: ({ graph, operand, attributes }) => {
    const { axis, exclusive, reverse } = attributes as { axis: number; exclusive: boolean; reverse: boolean };
    const x = operand('x');
    return graph.apply({ kind: 'cumulativeSum', axis: axesOf(axis, x)[0]!, exclusive, reverse }, [x], x.shape, x.type);
  },
  TopK: ({ graph, operand, attributes }) => {
    const { k } = attributes as { k: number };
    const x = operand('x');
    const shape = [...x.shape.slice(0, -1), k];
    return [
      graph.apply({ kind: 'topK', k, result: 'values' }, [x], shape, x.type),
      graph.apply({ kind: 'topK', k, result: 'indices' }, [x], shape, 'int32'),
    ];
  },
});

function ofTruth(fn: 'max' | 'min'): Kernel {
  return ({ graph, operand, attributes }) => {
    const { axis, keepDims } = attributes as { axis?: number | number[]; keepDims?: boolean };
    const x = operand('x');
    const extreme = reduce(graph, fn, cast(graph, x, 'int32'), axesOf(axis, x), keepDims ?? false);
    const isZero = graph.apply(
      { kind: 'compare', fn: 'equal' },
      [extreme, graph.scalar(0, 'int32')],
      extreme.shape,
      'bool',
    );
    return unary(graph, 'not', isZero);
  };
}

export function reduce(
  graph: GraphBuilder,
  fn: Reduction,
  x: Value,
  axes: readonly number[],
  keepDims: boolean,
): Value {
  const shape = keepDims
    ? x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : x.shape.filter((_, axis) => !axes.includes(axis));
  if (axes.length === 0) return x;
  return graph.apply({ kind: 'reduce', fn, axes, keepDims }, [x], shape, x.type);
}

/** Axes counted from the front, in order; none named means all. */
function axesOf(axis: number | readonly number[] | null | undefined, { shape }: Value): number[] {
  if (axis === undefined || axis === null) return shape.map((_, index) => index);
  const axes = typeof axis === 'number' ? [axis] : axis;
  return axes.map((index) => (index < 0 ? index + shape.length : index)).sort((a, b) => a - b);
}
