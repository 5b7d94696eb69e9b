import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../runtime/engines/graph/builder.ts';
import { broadcastShapes, type BinaryFunction, type Value } from '../../../runtime/engines/graph/ir.ts';
import { liveness } from '../../../runtime/engines/graph/liveness.ts';
import { schedule } from '../../../runtime/engines/graph/schedule.ts';

function start(shape: number[] = [2, 3]) {
  const graph = new GraphBuilder();
  const x = graph.input('x', shape, 'real');
  const binary = (fn: BinaryFunction, a: Value, b: Value) =>
    graph.apply({ kind: 'binary', fn }, [a, b], broadcastShapes(a.shape, b.shape), 'real');
  const exp = (value: Value) => graph.apply({ kind: 'unary', fn: 'exp' }, [value], value.shape, 'real');
  const reshape = (value: Value, to: number[]) => graph.apply({ kind: 'reshape' }, [value], to, 'real');
  const transpose = (value: Value, permutation: number[]) =>
    graph.apply(
      { kind: 'transpose', permutation },
      [value],
      permutation.map((axis) => value.shape[axis]!),
      'real',
    );
  const expand = (value: Value, to: number[]) => graph.apply({ kind: 'expand' }, [value], to, 'real');
  const full = (element: number, to: number[]) =>
    graph.constant(new Float64Array(to.reduce((a, b) => a * b, 1)).fill(element), to, 'real');
  const finish = (...outputs: Value[]) => graph.finish(new Map(outputs.map((value, index) => [`y${index}`, value])));
  return { graph, x, binary, exp, reshape, transpose, expand, full, finish };
}

describe('what is built is simplified', () => {
  test('products with ones and sums with zeros vanish, whatever their shape', () => {
    const { graph, x, binary, full } = start();
    expect(binary('multiply', x, full(1, [2, 3]))).toBe(x);
    expect(binary('add', graph.scalar(0), x)).toBe(x);
    expect(binary('divide', x, full(1, [3]))).toBe(x);
    expect(binary('multiply', x, full(1, [4, 2, 3]))).toMatchObject({
      op: { kind: 'expand' },
      inputs: [x],
      shape: [4, 2, 3],
    });
  });

  test('products with zeros stay: they are not zero where the other factor is not finite', () => {
    const { graph, x, binary } = start();
    expect(binary('multiply', x, graph.scalar(0)).op.kind).toBe('binary');
  });

  test('repetition before broadcasting is left to broadcasting', () => {
    const { graph, x, binary, expand } = start();
    const row = graph.input('row', [3], 'real');
    expect(binary('add', x, expand(row, [2, 3])).inputs).toEqual([x, row]);
    expect(binary('add', expand(row, [2, 3]), expand(row, [2, 3])).shape).toEqual([2, 3]);
  });

  test('layout changes merge, cancel and turn into flags of products', () => {
    const { graph, x, reshape, transpose } = start();
    expect(reshape(reshape(x, [3, 2]), [6]).inputs).toEqual([x]);
    expect(reshape(reshape(x, [3, 2]), [2, 3])).toBe(x);
    expect(transpose(transpose(x, [1, 0]), [1, 0])).toBe(x);
    expect(transpose(reshape(x, [2, 1, 3]), [1, 0, 2]).op.kind).toBe('reshape');
    const product = graph.apply(
      { kind: 'matmul', transposeA: false, transposeB: false },
      [x, transpose(x, [1, 0])],
      [2, 2],
      'real',
    );
    expect(product).toMatchObject({ op: { transposeA: false, transposeB: true }, inputs: [x, x] });
  });

  test('constants are computed once, in doubles', () => {
    const { graph, binary, full } = start();
    expect(binary('divide', full(1, [1000, 1000]), graph.scalar(3)).op).toEqual({
      kind: 'constant',
      data: Float64Array.of(1 / 3),
    });
    const sum = binary(
      'add',
      graph.constant(Float64Array.of(1, 2), [2, 1], 'real'),
      graph.constant(Float64Array.of(10, 20, 30), [3], 'real'),
    );
    expect(sum.op).toEqual({ kind: 'constant', data: Float64Array.of(11, 21, 31, 12, 22, 32) });
  });
});

describe('equal values are shared', () => {
  test('inside one region only', () => {
    const { graph, x, exp } = start();
    const forward = exp(x);
    expect(exp(x)).toBe(forward);
    const [again, twice] = graph.inRegion(() => [exp(x), exp(x)]);
    expect(again).not.toBe(forward);
    expect(twice).toBe(again);
    expect(graph.inRegion(() => exp(x))).not.toBe(again);
    expect(exp(x)).toBe(forward);
  });

  test('by type, shape and sign of zero', () => {
    const { graph } = start();
    expect(graph.scalar(1)).toBe(graph.scalar(1));
    expect(graph.scalar(1, 'int32')).not.toBe(graph.scalar(1));
    expect(graph.scalar(-0)).not.toBe(graph.scalar(0));
  });
});

describe('a finished graph', () => {
  test('has no dead code, and operands before their users', () => {
    const { x, exp, binary, finish } = start();
    const used = exp(x);
    const dead = binary('add', used, used);
    const result = binary('multiply', used, x);
    const order = schedule(finish(result));
    expect(order).toEqual([x, used, result]);
    expect(order).not.toContain(dead);
  });

  test('frees a value after its last use, and counts the peak', () => {
    const { x, exp, reshape, finish } = start();
    const first = exp(x);
    const second = exp(first);
    const third = exp(reshape(second, [6]));
    const { lastUse, order, peakBytes, largestBytes } = liveness(finish(third), { bytesPerReal: 4 });
    expect(lastUse.get(first)).toBe(order.indexOf(second));
    // The reshape shares its operand's storage.
    expect(lastUse.get(second)).toBe(order.indexOf(third));
    expect(peakBytes).toBe(2 * 6 * 4);
    expect(largestBytes).toBe(6 * 4);
  });

  test('refuses an input declared twice and shapes that do not broadcast', () => {
    const { graph } = start();
    expect(() => graph.input('x', [1], 'real')).toThrow('input "x" is declared twice');
    expect(() => broadcastShapes([2, 3], [4])).toThrow('shapes [2,3] and [4] do not broadcast');
  });
});
