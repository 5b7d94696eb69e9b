import { broadcastShapes } from '../../graph/ir.ts';
import { registerKernels } from '../kernel.ts';

registerKernels({
  // Not one of tfjs's kernels: runtime/ops/choleskyInverse.ts asks for it by name.
  CholeskyInverse: ({ graph, operand }) => {
    const a = operand('a');
    return [
      graph.apply({ kind: 'choleskyInverse', result: 'inverse' }, [a], a.shape, 'real'),
      graph.apply({ kind: 'choleskyInverse', result: 'halfLogDet' }, [a], a.shape.slice(0, -2), 'real'),
    ];
  },
  BatchMatMul: ({ graph, operand, attributes }) => {
    const [a, b] = [operand('a'), operand('b')];
    const { transposeA, transposeB } = attributes as { transposeA: boolean; transposeB: boolean };
    const rows = a.shape.at(transposeA ? -1 : -2)!;
    const columns = b.shape.at(transposeB ? -2 : -1)!;
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const mixed = graph.isMixed ? ({ mixed: true } as const) : {};
    return graph.apply({ kind: 'matmul', transposeA, transposeB, ...mixed }, [a, b], [...batch, rows, columns], 'real');
  },
});
