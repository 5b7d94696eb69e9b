import { sizeOf, type Graph } from './ir.ts';
import { schedule } from './schedule.ts';

/** Multiplications and additions inside the products of a graph: nearly all of a step's arithmetic. */
export function productOperations(graph: Graph): number {
  let operations = 0;
  for (const { op, inputs, shape } of schedule(graph)) {
    if (op.kind !== 'matmul') continue;
    const inner = inputs[0]!.shape.at(op.transposeA ? -2 : -1)!;
    operations += 2 * sizeOf(shape) * inner;
  }
  return operations;
}
