import { sizeOf, type Graph, type Value } from './ir.ts';
import { schedule } from './schedule.ts';

export interface Liveness {
  order: Value[];
  /** Position in `order` after which a value is no longer needed; outputs live to the end. */
  lastUse: Map<Value, number>;
  /** The most bytes of computed values alive at once, inputs and constants apart. */
  peakBytes: number;
  /** Bytes of the largest single array, inputs included: some devices can't address arrays beyond a limit. */
  largestBytes: number;
}

/** When each value is last needed, executing in schedule order. Reshapes are counted as sharing their operand's storage. */
export function liveness(graph: Graph, { bytesPerReal }: { bytesPerReal: 4 | 8 }): Liveness {
  const order = schedule(graph);
  const lastUse = new Map<Value, number>();
  order.forEach((value, position) => {
    for (const operand of value.inputs) lastUse.set(storageOf(operand), position);
  });
  for (const output of graph.outputs.values()) lastUse.set(storageOf(output), order.length);

  const freedAt = new Map<number, number>();
  let alive = 0;
  let peakBytes = 0;
  let largestBytes = 0;
  order.forEach((value, position) => {
    const bytes = sizeOf(value.shape) * bytesPerElement(value, bytesPerReal);
    if (value.op.kind !== 'constant') largestBytes = Math.max(largestBytes, bytes);
    if (storageOf(value) === value && isComputed(value)) {
      alive += bytes;
      const last = lastUse.get(value) ?? position;
      freedAt.set(last, (freedAt.get(last) ?? 0) + bytes);
    }
    peakBytes = Math.max(peakBytes, alive);
    alive -= freedAt.get(position) ?? 0;
  });
  return { order, lastUse, peakBytes, largestBytes };
}

function storageOf(value: Value): Value {
  return value.op.kind === 'reshape' ? storageOf(value.inputs[0]!) : value;
}

const isComputed = ({ op }: Value): boolean => op.kind !== 'input' && op.kind !== 'constant';

function bytesPerElement({ type }: Value, bytesPerReal: number): number {
  return type === 'real' ? bytesPerReal : type === 'int32' ? 4 : 1;
}
