/**
 * A graph cut at its sums over processes: everything that can be computed before a sum, the sum itself, everything after it.
 *
 * Sums that don't depend on each other share a cut. What no sum needs is computed in the last stage that it can be computed in, so that
 * as little as possible has to be kept from one stage to the next.
 */
import type { Graph, Value } from './ir.ts';
import { schedule } from './schedule.ts';

export interface Stage {
  /** Inputs are the graph's, and values of earlier stages and sums under names of their own. */
  graph: Graph;
  /** The outputs of this stage that are to be summed before the next one starts. */
  sums: string[];
}

/** The names that values carry from stage to stage. */
const carried = (value: Value): string => `carried/${value.id}`;

/** The stages of a graph, one for a graph without sums. The outputs of all of them together are the graph's. */
export function stagesOf(graph: Graph): Stage[] {
  const order = schedule(graph);
  const earliest = new Map<Value, number>();
  for (const value of order) {
    const after = Math.max(0, ...value.inputs.map((input) => earliest.get(input)!));
    earliest.set(value, after + (value.op.kind === 'sumOverRanks' ? 1 : 0));
  }
  const count = Math.max(0, ...earliest.values()) + 1;
  if (count === 1) return [{ graph, sums: [] }];
  const stageOf = latestStages(order, graph, earliest, count);

  // A sum belongs to the stage before which it is made; what it sums is an output of the stage before that.
  const outputs = Array.from({ length: count }, () => new Map<string, Value>());
  const inputs = Array.from({ length: count }, () => new Map<string, Value>());
  const sums = Array.from({ length: count }, () => new Set<string>());
  for (const [name, value] of graph.outputs) outputs[stageOf.get(value)!]!.set(name, value);
  for (const value of order) {
    const stage = stageOf.get(value)!;
    if (value.op.kind === 'sumOverRanks') {
      outputs[earliest.get(value)! - 1]!.set(carried(value), value.inputs[0]!);
      sums[earliest.get(value)! - 1]!.add(carried(value));
      continue;
    }
    for (const operand of value.inputs)
      if (isCarried(operand) && (operand.op.kind === 'sumOverRanks' || stageOf.get(operand)! < stage))
        carry(operand, stage);
  }
  for (const [stage, of] of outputs.entries())
    for (const value of [...of.values()])
      if (isCarried(value) && (value.op.kind === 'sumOverRanks' || stageOf.get(value)! < stage)) carry(value, stage);

  function carry(value: Value, stage: number): void {
    inputs[stage]!.set(carried(value), value);
    if (value.op.kind !== 'sumOverRanks') outputs[stageOf.get(value)!]!.set(carried(value), value);
  }

  return outputs.map((of, stage) => ({
    graph: rebuilt(of, inputs[stage]!),
    sums: [...sums[stage]!],
  }));
}

/** Inputs and constants are there in every stage. */
function isCarried({ op }: Value): boolean {
  return op.kind !== 'input' && op.kind !== 'constant';
}

/** For each value the last stage that still serves all who need it. */
function latestStages(
  order: readonly Value[],
  graph: Graph,
  earliest: ReadonlyMap<Value, number>,
  count: number,
): Map<Value, number> {
  const latest = new Map<Value, number>();
  const need = (value: Value, stage: number) => latest.set(value, Math.min(latest.get(value) ?? count - 1, stage));
  for (const value of graph.outputs.values()) need(value, count - 1);
  for (const value of [...order].reverse()) {
    const stage = Math.max(latest.get(value) ?? count - 1, earliest.get(value)!);
    latest.set(value, stage);
    const before = value.op.kind === 'sumOverRanks' ? earliest.get(value)! - 1 : stage;
    for (const operand of value.inputs) need(operand, before);
  }
  return latest;
}

/** The part of a graph between the values given and the outputs: the values given become inputs. */
function rebuilt(outputs: ReadonlyMap<string, Value>, given: ReadonlyMap<string, Value>): Graph {
  const inputs = new Map<string, Value>();
  const known = new Map<Value, Value>();
  for (const [name, value] of given) {
    const input: Value = {
      id: value.id,
      op: { kind: 'input', name },
      inputs: [],
      shape: value.shape,
      type: value.type,
    };
    inputs.set(name, input);
    known.set(value, input);
  }
  const needed = between(outputs, known);
  for (const value of needed) {
    if (value.op.kind === 'input') inputs.set(value.op.name, value);
    const operands = value.inputs.map((operand) => known.get(operand) ?? operand);
    const isSame = operands.every((operand, index) => operand === value.inputs[index]);
    known.set(value, isSame ? value : { ...value, inputs: operands });
  }
  return { inputs, outputs: new Map([...outputs].map(([name, value]) => [name, known.get(value) ?? value])) };
}

/** What the outputs need, up to the values known, in the order of building. */
function between(outputs: ReadonlyMap<string, Value>, known: ReadonlyMap<Value, Value>): Value[] {
  const needed = new Set<Value>();
  const unvisited = [...outputs.values()];
  for (let value = unvisited.pop(); value; value = unvisited.pop()) {
    if (needed.has(value) || known.has(value)) continue;
    needed.add(value);
    unvisited.push(...value.inputs);
  }
  return [...needed].sort((a, b) => a.id - b.id);
}
