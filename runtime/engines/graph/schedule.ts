import type { Graph, Value } from './ir.ts';

/**
 * The values that the outputs need, in the order in which they were built; dead code is what is not in the list.
 *
 * The order of building is the order in which an eager engine would have computed: each layer forwards, then each layer backwards with
 * the gradients of its weights at once, so that what a layer kept for its backward pass is freed as soon as may be. Walking from
 * the outputs instead would go down the chain of gradients first, and come back for the weights' when everything is still alive.
 */
export function schedule(graph: Graph): Value[] {
  const needed = new Set<Value>();
  const unvisited = [...graph.outputs.values()];
  for (let value = unvisited.pop(); value; value = unvisited.pop()) {
    if (needed.has(value)) continue;
    needed.add(value);
    unvisited.push(...value.inputs);
  }
  return [...needed].sort((a, b) => a.id - b.id);
}
