/**
 * A tfjs backend that computes nothing and remembers everything.
 *
 * tfjs has no graph mode: `tf.matMul(a, b)` calls a kernel of the active backend at once, and a kernel is expected to return numbers. But
 * nothing in tfjs ever looks at the numbers. A tensor is a shape, an element type and a `dataId`, an opaque object by which the backend
 * finds its data; operations check shapes, call kernels, hand the results' dataIds on. So let the data be a *symbol*: here a dataId holds
 * a value of the graph being built (see graph/ir.ts), and each kernel, asked to multiply two tensors, appends "multiply these two values" to
 * the graph and returns the new value. After one call of a function, the graph is that function.
 *
 * Gradients come free. tfjs differentiates by a tape in its own engine, above the backends: while the function runs it notes which kernel
 * made which tensor, and afterwards walks back calling each kernel's gradient function - which is written in tfjs operations, so that it
 * lands in the same graph. A training step with its backward pass and its optimiser becomes one static graph, which an executor may
 * optimise, lower to its own language and run a million times without JavaScript.
 *
 * What follows from recording once:
 *
 * - JavaScript's control flow is resolved while recording: loops unroll, branches are taken once. Whatever changes from step to step must be
 *   an input: learning rate, drop-path masks, step counter. Random numbers drawn inside would freeze into constants.
 * - Reading a tensor (`dataSync`) has no answer, except for constants, and fails loudly. None of the gradients that we use reads.
 * - Shapes are static. Another batch size or crop size is another graph.
 * - Memory is nobody's business yet: disposing a tensor forgets a symbol. Lifetimes are computed from the finished graph.
 * - Numbers written in JavaScript are doubles, but tfjs rounds them to Float32Array before a backend sees them. A graph may later run
 *   in 64 bits, so `doubleConstants.ts` keeps what they were.
 *
 * tfjs keeps its engine and its registries in globals: there is one recording backend per process, and one recording at a time.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { GraphBuilder } from '../graph/builder.ts';
import { sizeOf, type ElementType, type Value } from '../graph/ir.ts';
import { doublesOf } from './doubleConstants.ts';

export const RECORDER = 'simdino-recorder';

/** What stands behind a recorded tensor. Each tensor has a handle of its own, so that tfjs may count and dispose of tensors as ever. */
interface Handle {
  readonly value: Value;
}

/** What operations may ask of whoever will run the graph. */
export interface ExecutorWishes {
  blockElements?: number;
  largestFactor?: number;
}

export class RecordingBackend extends tf.KernelBackend {
  #graph: GraphBuilder | undefined;
  #wishes: ExecutorWishes = {};
  #handles = 0;

  /** The graph that kernels append to. */
  get graph(): GraphBuilder {
    if (!this.#graph)
      throw new Error('internal: recording: a tensor operation ran on the recorder outside of a recording.');
    return this.#graph;
  }

  /** What whoever will run the graph wants rows divided by. */
  get blockElements(): number | undefined {
    return this.#wishes.blockElements;
  }

  /** The size of matrices that whoever will run the graph factorises whole. */
  get largestFactor(): number | undefined {
    return this.#wishes.largestFactor;
  }

  /** Makes `graph` the target of everything that runs inside `body`. */
  recordInto<T>(graph: GraphBuilder, wishes: ExecutorWishes, body: () => T): T {
    if (this.#graph) throw new Error('internal: recording: one recording began inside another.');
    this.#graph = graph;
    this.#wishes = wishes;
    try {
      return body();
    } finally {
      this.#graph = undefined;
      this.#wishes = {};
    }
  }

  /** Called by operations whose backward pass computes values again on purpose; see runtime/ops/recompute.ts. */
  recompute<T>(body: () => T): T {
    return this.graph.inRegion(body);
  }

  /** See runtime/ops/mixedPrecision.ts. */
  get isMixed(): boolean {
    return this.graph.isMixed;
  }

  mixedPrecision<T>(body: () => T): T {
    return this.graph.inMixedPrecision(body);
  }

  /** A tensor's description for tfjs, standing for `value`. */
  infoOf(value: Value): tf.TensorInfo {
    this.#handles++;
    const handle: Handle = { value };
    return { dataId: handle, shape: [...value.shape], dtype: tfTypeOf(value.type) };
  }

  symbolOf({ dataId }: { dataId: object }): Value {
    return (dataId as Handle).value;
  }

  /** tfjs hands over an array: a constant of the graph. */
  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): object {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
      throw new Error(`internal: recording: constants of type ${dtype} are not supported.`);
    }
    const data = doublesOf(values as tf.TypedArray) ?? Float64Array.from(values as tf.TypedArray);
    this.#handles++;
    return { value: this.graph.constant(data, shape, elementTypeOf(dtype)) } satisfies Handle;
  }

  override readSync(dataId: object): tf.BackendValues {
    const { op, shape } = (dataId as Handle).value;
    if (op.kind !== 'constant') {
      throw new Error(
        'internal: recording: the step reads the value of a tensor while it is recorded. Make what depends on it a tensor operation or an input.',
      );
    }
    return op.data.length === 1 ? new Float32Array(sizeOf(shape)).fill(op.data[0]!) : Float32Array.from(op.data);
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }

  override disposeData(): boolean {
    this.#handles--;
    return true;
  }

  override numDataIds(): number {
    return this.#handles;
  }

  override incRef(): void {}

  override refCount(): number {
    return 1;
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {}
}

export function elementTypeOf(dtype: tf.DataType): ElementType {
  switch (dtype) {
    case 'float32':
      return 'real';
    case 'int32':
    case 'bool':
      return dtype;
    default:
      throw new Error(`internal: recording: tensors of type ${dtype} are not supported.`);
  }
}

function tfTypeOf(type: ElementType): tf.DataType {
  if (type === 'uint8') throw new Error('internal: recording: bytes must be cast before tfjs sees them.');
  return type === 'real' ? 'float32' : type;
}
