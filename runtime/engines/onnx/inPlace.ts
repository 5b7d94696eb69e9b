import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { errors } from '../../../protocol/errors.ts';
import type { Recording } from '../trace/record.ts';
import type { OnnxModel, OnnxNode } from './model.ts';
import type { StepState } from './onnxStep.ts';

/** Operators that make each element of their result from those at the same place, so that the result may lie where an operand was. */
const elementwise = new Set(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Neg', 'Sqrt']);

/** Operators whose result may share the memory of their first operand. */
const views = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity', 'Cast']);

export interface InPlaceUpdates {
  /** State entries whose update may be written over them. */
  readonly entries: ReadonlySet<string>;
  /** Whether no update was written when this operator, named by its first output, failed: all of them need it. */
  precedesAll(operator: string): boolean;
}

/**
 * Which entries of the state a step may update where they are, instead of in a second copy: those that nobody can read any more when the
 * update is computed, whatever order the runtime takes the operators in, since the update depends on every other reader.
 *
 * @param entries those that the model updates
 */
export function inPlaceUpdates(
  { nodes }: Pick<OnnxModel, 'nodes'>,
  entries: readonly string[],
  names: Pick<Recording['names'], 'state' | 'update'>,
): InPlaceUpdates {
  const all = (1n << BigInt(entries.length)) - 1n;
  const bits = new Map(entries.map((entry, index) => [names.update(entry), 1n << BigInt(index)]));
  const { leadsTo, makers, readers } = dependencies(nodes, bits);

  function isFree(entry: string, index: number): boolean {
    const update = makers.get(names.update(entry))!;
    const shared = [names.state(entry)];
    for (const name of shared) {
      for (const reader of readers.get(name) ?? []) {
        if (reader === update) {
          if (!elementwise.has(reader.op)) return false;
        } else if (((leadsTo.get(reader.outputs[0]!)! >> BigInt(index)) & 1n) === 0n) return false;
        else if (views.has(reader.op) && reader.inputs[0] === name) shared.push(reader.outputs[0]!);
      }
    }
    return true;
  }

  return {
    entries: new Set(entries.filter(isFree)),
    precedesAll: (operator) => leadsTo.get(operator) === all,
  };
}

/** For each value the updates that depend on it, a bit for each, and who makes and reads it. */
function dependencies(nodes: readonly OnnxNode[], bits: ReadonlyMap<string, bigint>) {
  const leadsTo = new Map(bits);
  const makers = new Map<string, OnnxNode>();
  const readers = new Map<string, OnnxNode[]>();
  // Models list operators backwards: readers come before makers.
  for (const node of nodes) {
    const own = node.outputs.reduce((found, name) => found | (leadsTo.get(name) ?? 0n), 0n);
    for (const name of node.outputs) {
      makers.set(name, node);
      leadsTo.set(name, own);
    }
    for (const name of node.inputs) {
      if (makers.has(name)) throw new Error(`internal: onnx: ${name} is read after the operator that makes it.`);
      leadsTo.set(name, (leadsTo.get(name) ?? 0n) | own);
      const known = readers.get(name);
      if (known) known.push(node);
      else readers.set(name, [node]);
    }
  }
  return { leadsTo, makers, readers };
}

/** Where the update of an entry is written. */
export function destination(entry: string, state: StepState, inPlace: InPlaceUpdates | undefined): Tensor {
  return inPlace?.entries.has(entry) ? state.current(entry) : state.spare(entry);
}

type Tensors = InferenceSession.OnnxValueMapType;

/**
 * Runs a model that may write over the state.
 *
 * @throws what the runtime says; stepTorn, from then on also by whoever reads the state, where updates may have been written already
 */
export async function runWith(
  session: InferenceSession,
  { feeds, fetches }: { feeds: Tensors; fetches: Record<string, Tensor | null> },
  { state, inPlace }: { state: StepState; inPlace: InPlaceUpdates | undefined },
): Promise<Tensors> {
  try {
    return await session.run(feeds, fetches);
  } catch (error) {
    if (!inPlace || inPlace.entries.size === 0 || !(error instanceof Error)) throw error;
    const operator = /while running \w+ node\. Name:'([^']*)'/.exec(error.message)?.[1];
    if (operator !== undefined && inPlace.precedesAll(operator)) throw error;
    const torn = errors.stepTorn(error.message);
    state.spoil?.(torn);
    throw torn;
  }
}
