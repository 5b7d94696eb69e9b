import { sizeOf, type Graph, type Value } from '../../graph/ir.ts';
import { concatKernels, copyKernel, elementwiseKernel } from '../kernels/elementwise.ts';
import { choleskyInverseKernel } from '../kernels/choleskyInverse.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { matmulKernels } from '../kernels/matmul.ts';
import { reductionKernels } from '../kernels/reduction.ts';
import { layerNormKernel, softmaxKernel } from '../kernels/rows.ts';
import { argReduceKernel, cumulativeSumKernel, topKKernel } from '../kernels/search.ts';
import { bytesOf, type Binding, type Temporary } from '../wgsl/shader.ts';
import { fuse, isReductionOfProducts, unreshaped, type Fusion, type Root } from './fusion.ts';

/** Memory on the GPU: an input of the graph, a table of constants, or a part of what is reused from kernel to kernel. */
export type Memory =
  { kind: 'input'; name: string } | { kind: 'constant'; value: Value } | { kind: 'slot'; index: number };

export interface PlannedKernel extends Omit<Kernel, 'bindings'> {
  /** What is bound, by the number of its binding. */
  arrays: readonly { binding: number; memory: Memory }[];
}

/** Where a result is after the last kernel. */
export interface PlannedResult {
  name: string;
  value: Value;
  memory: Memory;
}

export interface Plan {
  kernels: PlannedKernel[];
  /** Bytes of each slot. */
  slots: number[];
  results: PlannedResult[];
  /** Bytes of the largest array that a kernel binds. */
  largestBytes: number;
}

export interface PlanOptions {
  /** Arrays that one kernel may read and write. */
  maxBindings: number;
  /** Results that become the next value of an input, by name. */
  updates: ReadonlyMap<string, string>;
  /** Whether products that allow it are left to the GPU's matrix units. */
  matrixUnits: boolean;
}

/** A step as kernels in their order and the memory that they work on. */
export function planGraph(graph: Graph, { maxBindings, updates, matrixUnits }: PlanOptions): Plan {
  const fusion = fuse(graph, { maxBindings });
  const kernels: Kernel[] = [];
  // Results that nothing computes are set aside before anything is overwritten.
  const copies = new Map<Value, Temporary>();
  for (const result of new Set([...graph.outputs.values()].map(unreshaped))) {
    if (result.op.kind !== 'input' && result.op.kind !== 'constant') continue;
    const to: Temporary = { elements: sizeOf(result.shape) };
    copies.set(result, to);
    kernels.push(copyKernel(fusion, result, to));
  }
  const grouped = groupResults(fusion.roots);
  for (const group of grouped) kernels.push(...kernelsOf(fusion, group, { maxBindings, matrixUnits }));

  const uses = usesOf(kernels);
  const holderOf = (value: Value): Value | Temporary => copies.get(unreshaped(value)) ?? unreshaped(value);
  const inPlace = updatesInPlace(graph, updates, kernels, uses);
  const forever = new Set([...graph.outputs.values()].map(holderOf));
  const { slotOf, slots } = allocate(uses, { inPlace, forever });
  const memoryOf = (held: Value | Temporary): Memory => {
    const input = 'op' in held ? (inPlace.get(held) ?? held) : held;
    if ('op' in input && input.op.kind === 'input') return { kind: 'input', name: input.op.name };
    if ('op' in input && input.op.kind === 'constant') return { kind: 'constant', value: input };
    return { kind: 'slot', index: slotOf.get(held)! };
  };
  return {
    kernels: kernels.map((kernel) => bound(kernel, inPlace, memoryOf)),
    slots,
    results: [...graph.outputs].map(([name, value]) => ({ name, value, memory: memoryOf(holderOf(value)) })),
    largestBytes: Math.max(...kernels.flatMap(({ bindings }) => bindings.map(({ holds }) => bytesHeld(holds))), 0),
  };
}

/** Values that one kernel writes together. */
function groupResults(roots: readonly Root[]): Root[][] {
  const groups = new Map<string, Root[]>();
  for (const root of roots) {
    const { id, op, inputs } = root.value;
    const operands = inputs.map((input) => input.id).join();
    const key =
      op.kind === 'layerNorm' || op.kind === 'topK' || op.kind === 'choleskyInverse'
        ? JSON.stringify({ ...op, result: undefined, operands })
        : `${id}`;
    groups.set(key, [...(groups.get(key) ?? []), root]);
  }
  return [...groups.values()];
}

function kernelsOf(
  fusion: Fusion,
  roots: readonly Root[],
  { maxBindings, matrixUnits }: Pick<PlanOptions, 'maxBindings' | 'matrixUnits'>,
): Kernel[] {
  const root = roots[0]!;
  const { value, anchor } = root;
  const results = roots.map((each) => each.value);
  const { op } = anchor ?? value;
  switch (op.kind) {
    case 'matmul':
      return isReductionOfProducts(anchor!)
        ? reductionKernels(fusion, root)
        : matmulKernels(fusion, root, { matrixUnits });
    case 'reduce':
      return reductionKernels(fusion, root);
    case 'softmax':
    case 'logSoftmax':
      return [softmaxKernel(fusion, value)];
    case 'layerNorm':
      return [layerNormKernel(fusion, results)];
    case 'choleskyInverse':
      return [choleskyInverseKernel(fusion, results)];
    case 'topK':
      return [topKKernel(fusion, results)];
    case 'argReduce':
      return [argReduceKernel(fusion, value)];
    case 'cumulativeSum':
      return [cumulativeSumKernel(fusion, value)];
    case 'sumOverRanks':
      throw new Error('internal: dawn: this engine has no sums over processes.');
    case 'concat':
      if (value.inputs.length > maxBindings - 3)
        return concatKernels(fusion, value, { maxParts: Math.max(1, Math.floor((maxBindings - 3) / 2)) });
      return [elementwiseKernel(fusion, value)];
    default:
      return [elementwiseKernel(fusion, value)];
  }
}

interface Uses {
  first: number;
  last: number;
  firstWritten: number;
}

/** The kernels that first and last touch each array. */
function usesOf(kernels: readonly Kernel[]): Map<Value | Temporary, Uses> {
  const uses = new Map<Value | Temporary, Uses>();
  kernels.forEach(({ bindings }, index) => {
    for (const { holds, access } of bindings) {
      const known = uses.get(holds) ?? { first: index, last: index, firstWritten: Infinity };
      known.last = index;
      if (access === 'read_write') known.firstWritten = Math.min(known.firstWritten, index);
      uses.set(holds, known);
    }
  });
  return uses;
}

/**
 * Results that are written over the input that they replace: those whose kernel is the input's last reader and reads of it just the
 * element that it writes. All others are written aside, and copied when everything is done.
 */
function updatesInPlace(
  graph: Graph,
  updates: PlanOptions['updates'],
  kernels: readonly Kernel[],
  uses: ReadonlyMap<Value | Temporary, Uses>,
): Map<Value, Value> {
  const inPlace = new Map<Value, Value>();
  for (const [output, inputName] of updates) {
    const input = graph.inputs.get(inputName)!;
    const result = unreshaped(graph.outputs.get(output)!);
    if (result.op.kind === 'input' || result.op.kind === 'constant' || inPlace.has(result)) continue;
    const written = uses.get(result)!.firstWritten;
    const read = uses.get(input)?.last ?? -1;
    const same = read === written && readsWhatItWrites(kernels[written]!.bindings, input, result);
    if (read < written || same) inPlace.set(result, input);
  }
  return inPlace;
}

function readsWhatItWrites(bindings: readonly Binding[], input: Value, result: Value): boolean {
  const written = bindings.find(({ holds }) => holds === result)!.writtenAt;
  const reads = bindings.filter(({ holds }) => holds === input).flatMap(({ readAt }) => [...readAt]);
  return written.size === 1 && reads.every((flat) => written.has(flat));
}

/**
 * Gives arrays that are never alive together the same slot: the largest first, each in the smallest slot that is free while it is alive.
 * In the order of time a small array would settle in a large slot that is needed a moment later.
 */
function allocate(
  uses: ReadonlyMap<Value | Temporary, Uses>,
  { inPlace, forever }: { inPlace: ReadonlyMap<Value, Value>; forever: ReadonlySet<Value | Temporary> },
): { slots: number[]; slotOf: Map<Value | Temporary, number> } {
  const needsSlot = (held: Value | Temporary) =>
    !('op' in held) || (held.op.kind !== 'input' && held.op.kind !== 'constant' && !inPlace.has(held));
  const arrays = [...uses]
    .filter(([held]) => needsSlot(held))
    .map(([held, { first, last }]) => ({
      held,
      bytes: bytesHeld(held),
      first,
      last: forever.has(held) ? Infinity : last,
    }))
    .sort((a, b) => b.bytes - a.bytes);
  const slots: { bytes: number; taken: { first: number; last: number }[] }[] = [];
  const slotOf = new Map<Value | Temporary, number>();
  for (const { held, bytes, first, last } of arrays) {
    const isFree = ({ taken }: (typeof slots)[number]) =>
      taken.every((other) => last < other.first || other.last < first);
    // Every slot is at least as large as what comes now, and the newest is the smallest.
    let index = slots.findLastIndex(isFree);
    if (index < 0) index = slots.push({ bytes, taken: [] }) - 1;
    slots[index]!.taken.push({ first, last });
    slotOf.set(held, index);
  }
  return { slots: slots.map(({ bytes }) => bytes), slotOf };
}

function bound(
  { bindings, source, ...rest }: Kernel,
  inPlace: ReadonlyMap<Value, Value>,
  memoryOf: (held: Value | Temporary) => Memory,
): PlannedKernel {
  let text = source;
  const arrays = bindings.flatMap(({ name, holds }, binding) => {
    // Memory that is written must not be bound a second time to be read.
    const writer = bindings.find((other) => 'op' in other.holds && inPlace.get(other.holds) === holds);
    if (!writer) return [{ binding, memory: memoryOf(holds) }];
    text = text
      .replace(new RegExp(`^@group\\(0\\) @binding\\(${binding}\\).*\\n`, 'm'), '')
      .replace(new RegExp(`\\b${name}\\b`, 'g'), writer.name);
    return [];
  });
  return { ...rest, source: text, arrays };
}

function bytesHeld(held: Value | Temporary): number {
  return 'op' in held ? bytesOf(held) : held.elements * 4;
}
