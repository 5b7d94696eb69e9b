import * as tf from '@tensorflow/tfjs-core';
import type { GraphBuilder } from '../../graph/builder.ts';
import { sizeOf, type Value } from '../../graph/ir.ts';
import { elementTypeOf } from '../recordingBackend.ts';
import { registerKernels, reshape, slice } from '../kernel.ts';

registerKernels({
  Identity: ({ operand }) => operand('x'),

  Reshape: ({ graph, operand, attributes }) => {
    const x = operand('x');
    return reshape(
      graph,
      x,
      tf.util.inferFromImplicitShape((attributes as { shape: number[] }).shape, sizeOf(x.shape)),
    );
  },
  ExpandDims: ({ graph, operand, attributes }) => {
    const x = operand('input');
    const { dim } = attributes as { dim: number };
    const axis = dim < 0 ? dim + x.shape.length + 1 : dim;
    return reshape(graph, x, x.shape.toSpliced(axis, 0, 1));
  },
  Transpose: ({ graph, operand, attributes }) => {
    const x = operand('x');
    const { perm } = attributes as { perm: number[] };
    return graph.apply(
      { kind: 'transpose', permutation: perm },
      [x],
      perm.map((axis) => x.shape[axis]!),
      x.type,
    );
  },
  Reverse: ({ graph, operand, attributes }) => {
    const x = operand('x');
    const axes = tf.util.parseAxisParam((attributes as { dims: number[] }).dims, [...x.shape]);
    const begin = x.shape.map((length, axis) => (axes.includes(axis) ? length - 1 : 0));
    const strides = x.shape.map((_, axis) => (axes.includes(axis) ? -1 : 1));
    return graph.apply({ kind: 'slice', begin, strides }, [x], x.shape, x.type);
  },
  Slice: ({ graph, operand, attributes }) => {
    const x = operand('x');
    const { begin, size } = attributes as { begin: number | number[]; size: number | number[] };
    const parsed = tf.slice_util.parseSliceParams(placeholder(x), begin, size) as [number[], number[]];
    return slice(graph, x, ...parsed);
  },
  StridedSlice: ({ graph, operand, attributes }) => {
    const x = operand('x');
    const at = attributes as Record<'begin' | 'end' | 'strides', number[]> &
      Record<'beginMask' | 'endMask' | 'ellipsisMask' | 'newAxisMask' | 'shrinkAxisMask', number>;
    const plan = tf.slice_util.sliceInfo(
      [...x.shape],
      at.begin,
      at.end,
      at.strides,
      at.beginMask,
      at.endMask,
      at.ellipsisMask,
      at.newAxisMask,
      at.shrinkAxisMask,
    );
    const size = tf.slice_util.computeOutShape(plan.begin, plan.end, plan.strides);
    const taken = graph.apply({ kind: 'slice', begin: plan.begin, strides: plan.strides }, [x], size, x.type);
    return reshape(graph, taken, plan.finalShape);
  },
  Concat: ({ graph, operands, attributes }) => {
    const axis = tf.util.parseAxisParam((attributes as { axis: number }).axis, [...operands[0]!.shape])[0]!;
    return concat(graph, operands, axis);
  },
  Pack: ({ graph, operands, attributes }) => {
    const { axis } = attributes as { axis: number };
    const position = axis < 0 ? axis + operands[0]!.shape.length + 1 : axis;
    const layers = operands.map((value) => reshape(graph, value, value.shape.toSpliced(position, 0, 1)));
    return concat(graph, layers, position);
  },
  Unpack: ({ graph, operand, attributes }) => {
    const x = operand('value');
    const { axis } = attributes as { axis: number };
    const position = axis < 0 ? axis + x.shape.length : axis;
    const rest = x.shape.toSpliced(position, 1);
    return Array.from({ length: x.shape[position]! }, (_, index) =>
      reshape(
        graph,
        slice(
          graph,
          x,
          x.shape.map((_length, at) => (at === position ? index : 0)),
          x.shape.with(position, 1),
        ),
        rest,
      ),
    );
  },
  SplitV: ({ graph, operand, attributes }) => {
    const x = operand('x');
    const { numOrSizeSplits, axis } = attributes as { numOrSizeSplits: number | number[]; axis: number };
    const at = tf.util.parseAxisParam(axis, [...x.shape])[0]!;
    let begin = 0;
    return tf.backend_util.prepareSplitSize(placeholder(x), numOrSizeSplits, at).map((length) => {
      const part = slice(
        graph,
        x,
        x.shape.map((_, index) => (index === at ? begin : 0)),
        x.shape.with(at, length),
      );
      begin += length;
      return part;
    });
  },
  Tile: ({ graph, operand, attributes }) => {
    const x = operand('x');
    const { reps } = attributes as { reps: number[] };
    const shape = x.shape.map((length, axis) => length * reps[axis]!);
    // Repeating an axis of length 1 is broadcasting, which later operations may do themselves.
    const broadcasts = x.shape.every((length, axis) => length === 1 || reps[axis] === 1);
    return graph.apply(broadcasts ? { kind: 'expand' } : { kind: 'tile', repeats: reps }, [x], shape, x.type);
  },
  BroadcastTo: ({ graph, operand, attributes }) => {
    const x = operand('x');
    return graph.apply({ kind: 'expand' }, [x], (attributes as { shape: number[] }).shape, x.type);
  },
  PadV2: ({ graph, operand, attributes }) => {
    const x = operand('x');
    const { paddings, constantValue } = attributes as { paddings: [number, number][]; constantValue: number };
    const before = paddings.map(([count]) => count);
    const after = paddings.map(([, count]) => count);
    const shape = x.shape.map((length, axis) => before[axis]! + length + after[axis]!);
    return graph.apply({ kind: 'pad', before, after, fill: constantValue }, [x], shape, x.type);
  },
  GatherV2: ({ graph, operand, attributes }) => {
    const [x, indices] = [operand('x'), operand('indices')];
    const { axis, batchDims } = attributes as { axis: number; batchDims: number };
    if (batchDims) throw new Error('internal: recording: gather with batchDims is not supported.');
    const at = tf.util.parseAxisParam(axis, [...x.shape])[0]!;
    return graph.apply({ kind: 'gather', axis: at }, [x, indices], x.shape.toSpliced(at, 1, ...indices.shape), x.type);
  },
  OneHot: ({ graph, operand, attributes }) => {
    const indices = operand('indices');
    const { dtype, depth, onValue, offValue } = attributes as {
      dtype: tf.DataType;
      depth: number;
      onValue: number;
      offValue: number;
    };
    return graph.apply(
      { kind: 'oneHot', depth, on: onValue, off: offValue },
      [indices],
      [...indices.shape, depth],
      elementTypeOf(dtype),
    );
  },

  ZerosLike: ({ graph, operand }) => filled(graph, 0, operand('x').shape, operand('x')),
  OnesLike: ({ graph, operand }) => filled(graph, 1, operand('x').shape, operand('x')),
  Fill: ({ graph, attributes }) => {
    const { shape, value, dtype } = attributes as { shape: number[]; value: number; dtype?: tf.DataType };
    return graph.constant(Float64Array.of(value), shape, elementTypeOf(dtype ?? 'float32'));
  },
  Range: ({ graph, attributes }) => {
    const { start, stop, step, dtype } = attributes as {
      start: number;
      stop: number;
      step: number;
      dtype: tf.DataType;
    };
    const count = Math.max(0, Math.ceil((stop - start) / step));
    return graph.constant(
      Float64Array.from({ length: count }, (_, index) => start + index * step),
      [count],
      elementTypeOf(dtype),
    );
  },
  LinSpace: ({ graph, attributes }) => {
    const { start, stop, num } = attributes as { start: number; stop: number; num: number };
    const step = num > 1 ? (stop - start) / (num - 1) : 0;
    return graph.constant(
      Float64Array.from({ length: num }, (_, index) => start + index * step),
      [num],
      'real',
    );
  },
});

function concat(graph: GraphBuilder, values: readonly Value[], axis: number): Value {
  const present = values.filter((value) => sizeOf(value.shape) > 0);
  const first = present[0] ?? values[0]!;
  const length = present.reduce((sum, value) => sum + value.shape[axis]!, 0);
  return graph.apply({ kind: 'concat', axis }, present, first.shape.with(axis, length), first.type);
}

function filled(graph: GraphBuilder, element: number, shape: readonly number[], { type }: Value): Value {
  return graph.constant(Float64Array.of(element), shape, type);
}

/** tfjs's shape functions ask for a tensor and look at its shape and rank alone. */
function placeholder(x: Value): tf.Tensor {
  return { shape: [...x.shape], rank: x.shape.length } as unknown as tf.Tensor;
}
