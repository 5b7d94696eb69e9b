import type { Graph, Value } from './ir.ts';

/**
 * The values that the outputs need, each after its operands: dead code is what is not in the list.
 *
 * Depth first from the outputs in order, so that a value stands close to its first user, and what is computed again for a backward pass is
 * not computed before that pass needs it.
 */
export function schedule(graph: Graph): Value[] {
  const order: Value[] = [];
  const done = new Set<Value>();
  for (const output of graph.outputs.values()) {
    // An explicit stack: a chain of a thousand layers would overflow the call stack.
    const stack: { value: Value; next: number }[] = [{ value: output, next: 0 }];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      if (done.has(top.value)) {
        stack.pop();
        continue;
      }
      const operand = top.value.inputs[top.next++];
      if (operand) {
        if (!done.has(operand)) stack.push({ value: operand, next: 0 });
      } else {
        done.add(top.value);
        order.push(top.value);
        stack.pop();
      }
    }
  }
  return order;
}
