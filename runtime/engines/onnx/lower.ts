import type { Graph } from '../graph/ir.ts';
import { schedule } from '../graph/schedule.ts';
import { Lowering, type LoweringTarget } from './lowering.ts';
import { lowerOperation } from './lowerOperation.ts';
import type { OnnxModel } from './model.ts';

/** The graph in ONNX's operators, its real numbers in the precision asked for. */
export function lower(graph: Graph, target: LoweringTarget): OnnxModel {
  const values = schedule(graph);
  const lowering = new Lowering(target, values);
  for (const value of values) {
    const { op } = value;
    if (op.kind === 'input') lowering.define(value, lowering.input(op.name, value));
    else if (op.kind === 'constant') lowering.define(value, lowering.constant(op.data, value));
    else lowering.define(value, lowerOperation(lowering, value));
  }
  for (const [name, value] of graph.outputs) lowering.output(name, value);
  return lowering.finish();
}
