import { Tensor } from 'onnxruntime-node';
import { sizeOf } from '../graph/ir.ts';
import type { EngineState, Precision, StateOptions, TensorSpec, TypedArray } from '../engine.ts';

/** ONNX Runtime's name of an element type, and the array that holds it. */
export function storageOf(dtype: TensorSpec['dtype'], precision: Precision) {
  switch (dtype) {
    case 'float32':
      return precision === 'float64'
        ? ({ type: 'float64', Array: Float64Array } as const)
        : ({ type: 'float32', Array: Float32Array } as const);
    case 'int32':
      return { type: 'int32', Array: Int32Array } as const;
    case 'uint8':
      return { type: 'uint8', Array: Uint8Array } as const;
  }
}

/** Values as a tensor of the spec, copied only if they are of another type. */
export function tensorOf(
  what: string,
  { shape, dtype }: TensorSpec,
  precision: Precision,
  values?: TypedArray,
): Tensor {
  const { type, Array } = storageOf(dtype, precision);
  const size = sizeOf(shape);
  if (values && values.length !== size) {
    throw new Error(`internal: engine: ${what} must have ${size} elements for [${shape}], got ${values.length}.`);
  }
  const data = values instanceof Array ? values : values ? Array.from(values) : new Array(size);
  return new Tensor(type, data as Float32Array, shape);
}

/**
 * State on the host, double buffered: a step reads the current tensors and writes its updates into spare ones, then the two change places.
 * A step that fails half-way leaves the state as it was.
 */
export class OnnxState implements EngineState {
  readonly specs: Readonly<Record<string, TensorSpec>>;
  readonly precision: Precision;
  readonly #current = new Map<string, Tensor>();
  readonly #spare = new Map<string, Tensor>();

  constructor(
    specs: Readonly<Record<string, TensorSpec>>,
    values: Readonly<Record<string, TypedArray>>,
    { precision = 'float32', arrays = 'copied' }: StateOptions,
  ) {
    this.specs = specs;
    this.precision = precision;
    for (const [name, spec] of Object.entries(specs)) {
      const given = arrays === 'copied' ? values[name]?.slice() : values[name];
      this.#current.set(name, tensorOf(`state "${name}"`, spec, precision, given));
    }
    for (const name of Object.keys(values)) this.#specOf(name);
  }

  async read(names: readonly string[] = Object.keys(this.specs)): Promise<Record<string, TypedArray>> {
    return Object.fromEntries(names.map((name) => [name, (this.current(name).data as TypedArray).slice()]));
  }

  async write(values: Readonly<Record<string, TypedArray>>): Promise<void> {
    const tensors = Object.entries(values).map(
      ([name, data]) => [name, tensorOf(`state "${name}"`, this.#specOf(name), this.precision, data.slice())] as const,
    );
    for (const [name, tensor] of tensors) this.#current.set(name, tensor);
  }

  current(name: string): Tensor {
    this.#specOf(name);
    return this.#current.get(name)!;
  }

  /** Where the next value of an entry may be written. */
  spare(name: string): Tensor {
    const known = this.#spare.get(name);
    if (known) return known;
    const tensor = tensorOf(`state "${name}"`, this.#specOf(name), this.precision);
    this.#spare.set(name, tensor);
    return tensor;
  }

  /** Makes what was written into the spare tensors current. */
  swap(names: readonly string[]): void {
    for (const name of names) {
      const written = this.#spare.get(name)!;
      this.#spare.set(name, this.#current.get(name)!);
      this.#current.set(name, written);
    }
  }

  async dispose(): Promise<void> {
    this.#current.clear();
    this.#spare.clear();
  }

  #specOf(name: string): TensorSpec {
    const spec = this.specs[name];
    if (!spec) throw new Error(`internal: engine: there is no state "${name}".`);
    return spec;
  }
}
