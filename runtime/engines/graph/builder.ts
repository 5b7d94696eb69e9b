import { fold } from './fold.ts';
import { sizeOf, type ElementType, type Graph, type Op, type Shape, type Value } from './ir.ts';
import type { Candidate, ValueMaker } from './rewriting.ts';
import { simplify } from './simplify.ts';

/**
 * Builds a graph value by value. Each new value is simplified by algebra, folded where its operands are constants, and shared with an
 * equal one made before: common-subexpression elimination happens as the graph grows, and dead code never enters the finished graph,
 * which is just what the outputs reach.
 *
 * Sharing has a scope. A backward pass may compute a value again on purpose, to free it between the two uses; sharing would undo that. What
 * is built inside `inRegion` is therefore shared only with values of the same region.
 */
export class GraphBuilder implements ValueMaker {
  readonly inputs = new Map<string, Value>();
  #nextId = 0;
  #region = 0;
  #regions = 0;
  readonly #shared = new Map<string, Value>();
  #isMixed = false;

  input(name: string, shape: Shape, type: ElementType): Value {
    if (this.inputs.has(name)) throw new Error(`internal: graph: input "${name}" is declared twice.`);
    const value = this.#make({ kind: 'input', name }, [], shape, type);
    this.inputs.set(name, value);
    return value;
  }

  /** @param data all elements, or one for all; an array of equal elements is reduced to one */
  constant(data: Float64Array, shape: Shape, type: ElementType): Value {
    const uniform = data.length > 1 && data.every((element) => Object.is(element, data[0]));
    const elements = uniform ? data.slice(0, 1) : data;
    if (elements.length !== 1 && elements.length !== sizeOf(shape)) {
      throw new Error(`internal: graph: a constant of shape [${shape}] got ${elements.length} elements.`);
    }
    // Large tables are not worth a key; they are rare and made once.
    const key = elements.length <= 64 ? `constant ${type} ${shape} ${Array.from(elements, keyOf)}` : undefined;
    const known = key === undefined ? undefined : this.#shared.get(key);
    if (known) return known;
    const value = this.#make({ kind: 'constant', data: elements }, [], shape, type);
    if (key !== undefined) this.#shared.set(key, value);
    return value;
  }

  scalar(value: number, type: ElementType = 'real'): Value {
    return this.constant(Float64Array.of(value), [], type);
  }

  /** The value of an operation; shape and type are the caller's to know. */
  apply(op: Op, inputs: readonly Value[], shape: Shape, type: ElementType): Value {
    const candidate: Candidate = { op, inputs, shape, type };
    const replacement = fold(this, candidate) ?? simplify(this, candidate);
    if (replacement) return replacement;
    const region = this.#region;
    const key = `${region} ${type} ${shape} ${JSON.stringify(op)} ${inputs.map((input) => input.id)}`;
    const known = this.#shared.get(key);
    if (known) return known;
    const value = this.#make(op, inputs, shape, type);
    this.#shared.set(key, value);
    return value;
  }

  /** Runs `build` so that nothing it makes is shared with what was made outside. */
  inRegion<T>(build: () => T): T {
    const enclosing = this.#region;
    this.#region = ++this.#regions;
    try {
      return build();
    } finally {
      this.#region = enclosing;
    }
  }

  /** Whether products that are built now may round their operands to 16 bits. */
  get isMixed(): boolean {
    return this.#isMixed;
  }

  inMixedPrecision<T>(build: () => T): T {
    const enclosing = this.#isMixed;
    this.#isMixed = true;
    try {
      return build();
    } finally {
      this.#isMixed = enclosing;
    }
  }

  finish(outputs: ReadonlyMap<string, Value>): Graph {
    return { inputs: this.inputs, outputs };
  }

  #make(op: Op, inputs: readonly Value[], shape: Shape, type: ElementType): Value {
    return { id: this.#nextId++, op, inputs, shape, type };
  }
}

/** 0 and -0 are different constants. */
const keyOf = (element: number): string => (Object.is(element, -0) ? '-0' : String(element));
