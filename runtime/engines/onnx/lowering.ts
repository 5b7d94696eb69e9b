import { sizeOf, type ElementType, type Shape, type Value } from '../graph/ir.ts';
import type { Precision } from '../engine.ts';
import { elementType, type Attribute, type OnnxModel, type OnnxNode, type OnnxType } from './model.ts';

/** A constant of one repeated element is written out up to this size, and expanded when the model runs above it. */
const LARGEST_WRITTEN_OUT = 65536;

/** What a model is written for. Each of ONNX Runtime's providers has operators that the other lacks. */
export interface LoweringTarget {
  precision: Precision;
  provider: 'cpu' | 'webgpu';
  /** On the CPU, between how many threads an operator is divided. */
  threads?: number;
}

/** A model under construction: the names of values, and what operators are made of. */
export class Lowering {
  readonly #model: OnnxModel = { nodes: [], constants: [], inputs: [], outputs: [] };
  readonly target: LoweringTarget;
  readonly #names = new Map<Value, string>();
  readonly #constants = new Map<string, string>();
  readonly #shared = new Map<string, unknown>();
  readonly #temporaries = new Set<string>();
  /** Computed values that are outputs, by their name so far. */
  readonly #outputNames = new Map<string, string>();

  /** How many products read a value transposed, as their first factor. */
  readonly #transposedFactors = new Map<Value, number>();

  /** @param values those that will be lowered */
  constructor(target: LoweringTarget, values: readonly Value[]) {
    this.target = target;
    for (const { op, inputs } of values) {
      if (op.kind !== 'matmul' || !op.transposeA) continue;
      this.#transposedFactors.set(inputs[0]!, (this.#transposedFactors.get(inputs[0]!) ?? 0) + 1);
    }
  }

  /** Says by which name of the model a value goes. */
  define(value: Value, name: string): void {
    this.#names.set(value, name);
  }

  input(name: string, { type, shape }: Value): string {
    this.#model.inputs.push({ name, type: this.typeOf(type), shape });
    return name;
  }

  /** @param data all elements, or one for all */
  constant(data: Float64Array, { type, shape }: Value): string {
    return this.#constantOf(data, shape, type);
  }

  /** An output is never an input, nor another output, under a second name: those are copied. */
  output(name: string, value: Value): void {
    const from = this.nameOf(value);
    this.#model.outputs.push({
      name,
      type: value.type === 'bool' ? 'uint8' : this.typeOf(value.type),
      shape: value.shape,
    });
    const copy = (op: string, attributes: OnnxNode['attributes']) =>
      this.#model.nodes.push({ op, domain: '', inputs: [from], outputs: [name], attributes });
    if (value.type === 'bool') copy('Cast', { to: { integer: elementType.uint8 } });
    else if (!this.#temporaries.has(from) || this.#outputNames.has(from)) copy('Identity', {});
    else this.#outputNames.set(from, name);
  }

  /** The model, computed outputs under their own names. */
  finish(): OnnxModel {
    const named = (name: string) => this.#outputNames.get(name) ?? name;
    for (const node of this.#model.nodes) {
      node.inputs = node.inputs.map(named);
      node.outputs = node.outputs.map(named);
    }
    // The runtime orders operators itself: depth first from the results, where several operands are open the one that comes last in
    // the file. Listed backwards, the file makes it follow the order of the schedule, and with it the schedule's peak of memory.
    this.#model.nodes.reverse();
    return this.#model;
  }

  nameOf(value: Value): string {
    const name = this.#names.get(value);
    if (name === undefined)
      throw new Error(`internal: lowering: value ${value.id} (${value.op.kind}) is used before it is made.`);
    return name;
  }

  /** Appends an operator of one result and names the result. */
  emit(
    op: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    domain: OnnxNode['domain'] = '',
  ): string {
    return this.emitMany(op, inputs, 1, attributes, domain)[0]!;
  }

  emitMany(
    op: string,
    inputs: readonly string[],
    results: number,
    attributes: Record<string, Attribute> = {},
    domain: OnnxNode['domain'] = '',
  ): string[] {
    const outputs = Array.from({ length: results }, () => {
      const name = `t${this.#temporaries.size}`;
      this.#temporaries.add(name);
      return name;
    });
    this.#model.nodes.push({ op, domain, inputs, outputs, attributes });
    return outputs;
  }

  /** Operators of several results serve several values: made by the first that asks. */
  once<T>(key: string, make: () => T): T {
    if (!this.#shared.has(key)) this.#shared.set(key, make());
    return this.#shared.get(key) as T;
  }

  /** A tensor with its last two axes exchanged, once for all who ask. */
  swapped(name: string, rank: number): string {
    const axes = Array.from({ length: rank }, (_, axis) => axis);
    const permutation = [...axes.slice(0, -2), rank - 1, rank - 2];
    return this.once(`swapped ${name}`, () => this.emit('Transpose', [name], { perm: { integers: permutation } }));
  }

  reshaped(name: string, shape: Shape): string {
    return this.once(`reshaped ${name} ${shape}`, () => this.emit('Reshape', [name, this.integers(shape)]));
  }

  /** Whether several products read a value transposed, as their first factor. */
  isSharedFactor(value: Value): boolean {
    return (this.#transposedFactors.get(value) ?? 0) > 1;
  }

  /** A real number of the graph's precision. */
  scalar(value: number, type: ElementType = 'real'): string {
    return this.#constantOf(Float64Array.of(value), [], type);
  }

  /** A list of axes, lengths or positions: operators take them as tensors. */
  integers(values: readonly number[]): string {
    return this.#write('int64', [values.length], Float64Array.from(values));
  }

  integer(value: number): string {
    return this.#write('int64', [], Float64Array.of(value));
  }

  vector(values: readonly number[], type: ElementType): string {
    return this.#write(this.typeOf(type), [values.length], Float64Array.from(values));
  }

  typeOf(type: ElementType): OnnxType {
    return type === 'real' ? (this.target.precision === 'float64' ? 'double' : 'float') : type;
  }

  #constantOf(data: Float64Array, shape: Shape, type: ElementType): string {
    const size = sizeOf(shape);
    if (data.length === size) return this.#write(this.typeOf(type), shape, data);
    if (size <= LARGEST_WRITTEN_OUT)
      return this.#write(this.typeOf(type), shape, new Float64Array(size).fill(data[0]!));
    return this.emit('Expand', [this.#write(this.typeOf(type), [], data), this.integers(shape)]);
  }

  #write(type: OnnxType, shape: Shape, data: Float64Array): string {
    const key =
      data.length <= 16
        ? `${type} ${shape} ${Array.from(data, (element) => (Object.is(element, -0) ? '-0' : element))}`
        : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known) return known;
    const name = `c${this.#model.constants.length}`;
    this.#model.constants.push({ name, type, shape, data: bytesOf(type, data) });
    if (key !== undefined) this.#constants.set(key, name);
    return name;
  }
}

function bytesOf(type: OnnxType, data: Float64Array): Uint8Array {
  const array = {
    float: () => Float32Array.from(data),
    double: () => data.slice(),
    int32: () => Int32Array.from(data),
    int64: () => BigInt64Array.from(data as unknown as ArrayLike<number>, (element) => BigInt(element)),
    bool: () => Uint8Array.from(data, (element) => Number(element !== 0)),
    uint8: () => Uint8Array.from(data),
  }[type]();
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
