import type { EngineState, Precision, StateOptions, TensorSpec, TypedArray } from './engine.ts';
import { sizeOf } from './graph/ir.ts';

/** State that lives on a device. Values wait on the host until a step first needs them there. */
export abstract class DeviceState implements EngineState {
  readonly specs: Readonly<Record<string, TensorSpec>>;
  readonly precision: Precision = 'float32';
  readonly #waiting = new Map<string, TypedArray>();

  constructor(
    specs: Readonly<Record<string, TensorSpec>>,
    values: Readonly<Record<string, TypedArray>>,
    { arrays = 'copied' }: StateOptions,
  ) {
    this.specs = specs;
    for (const name of Object.keys(values)) this.specOf(name);
    for (const [name, spec] of Object.entries(specs)) {
      const given = arrays === 'copied' ? values[name]?.slice() : values[name];
      this.#waiting.set(name, arrayOf(`state "${name}"`, spec, given));
    }
  }

  async read(names: readonly string[] = Object.keys(this.specs)): Promise<Record<string, TypedArray>> {
    for (const name of names) this.specOf(name);
    const onDevice = names.filter((name) => !this.#waiting.has(name));
    const found = await this.download(onDevice);
    const values = new Map(onDevice.map((name, index) => [name, found[index]!]));
    return Object.fromEntries(names.map((name) => [name, values.get(name) ?? this.#waiting.get(name)!.slice()]));
  }

  async write(values: Readonly<Record<string, TypedArray>>): Promise<void> {
    const arrays = Object.entries(values).map(
      ([name, data]) => [name, arrayOf(`state "${name}"`, this.specOf(name), data.slice())] as const,
    );
    for (const [name, array] of arrays) this.#waiting.set(name, array);
  }

  /** Brings everything to where steps find it. */
  async ready(): Promise<void> {
    for (const [name, data] of this.#waiting) {
      await this.place(name, data);
      this.#waiting.delete(name);
    }
  }

  dispose(): Promise<void> {
    this.#waiting.clear();
    this.release();
    return Promise.resolve();
  }

  protected specOf(name: string): TensorSpec {
    const spec = this.specs[name];
    if (!spec) throw new Error(`internal: engine: there is no state "${name}".`);
    return spec;
  }

  /** Copies an entry's values to the device. */
  protected abstract place(name: string, data: TypedArray): Promise<void>;
  /** Copies of entries that were placed, in their order. */
  protected abstract download(names: readonly string[]): Promise<TypedArray[]>;
  protected abstract release(): void;
}

/** The values in the array type of the spec, checked; zeros where there are none. */
export function arrayOf(what: string, { shape, dtype }: TensorSpec, values?: TypedArray): TypedArray {
  const Array = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array }[dtype];
  const size = sizeOf(shape);
  if (values && values.length !== size)
    throw new Error(`internal: engine: ${what} must have ${size} elements for [${shape}], got ${values.length}.`);
  if (!values) return new Array(size);
  return values instanceof Array ? values : Array.from(values);
}
