import { broadcastShapes } from '../../graph/ir.ts';
import { registerKernels } from '../kernel.ts';

registerKernels({
  BatchMatMul: ({ graph, operand, attributes }) => {
    const [a, b] = [operand('a'), operand('b')];
    const { transposeA, transposeB } = attributes as { transposeA: boolean; transposeB: boolean };
    const rows = a.shape.at(transposeA ? -1 : -2)!;
    const columns = b.shape.at(transposeB ? -2 : -1)!;
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return graph.apply({ kind: 'matmul', transposeA, transposeB }, [a, b], [...batch, rows, columns], 'real');
  },
});
