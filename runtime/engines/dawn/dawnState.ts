import type { EngineState, Precision, StateOptions, TensorSpec, TypedArray } from '../engine.ts';
import { sizeOf } from '../graph/ir.ts';
import { createBuffer, type DawnDevice } from './device.ts';
import { download, upload } from './transfer.ts';

/** State in buffers of the GPU. Values wait on the host until a step first needs them there. */
export class DawnState implements EngineState {
  readonly specs: Readonly<Record<string, TensorSpec>>;
  readonly precision: Precision = 'float32';
  readonly #gpu: DawnDevice;
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #waiting = new Map<string, TypedArray>();

  constructor(
    gpu: DawnDevice,
    specs: Readonly<Record<string, TensorSpec>>,
    values: Readonly<Record<string, TypedArray>>,
    { arrays = 'copied' }: StateOptions,
  ) {
    this.#gpu = gpu;
    this.specs = specs;
    for (const name of Object.keys(values)) this.#specOf(name);
    for (const [name, spec] of Object.entries(specs)) {
      const given = arrays === 'copied' ? values[name]?.slice() : values[name];
      this.#waiting.set(name, arrayOf(`state "${name}"`, spec, given));
    }
  }

  async read(names: readonly string[] = Object.keys(this.specs)): Promise<Record<string, TypedArray>> {
    const values: Record<string, TypedArray> = {};
    const onGpu = names.filter((name) => !this.#waiting.has(name));
    const found = await download(
      this.#gpu,
      onGpu.map((name) => ({ buffer: this.buffer(name), ...this.#specOf(name) })),
    );
    onGpu.forEach((name, index) => (values[name] = found[index]!));
    for (const name of names) values[name] ??= this.#waiting.get(name)!.slice();
    return values;
  }

  async write(values: Readonly<Record<string, TypedArray>>): Promise<void> {
    const arrays = Object.entries(values).map(
      ([name, data]) => [name, arrayOf(`state "${name}"`, this.#specOf(name), data.slice())] as const,
    );
    for (const [name, array] of arrays) this.#waiting.set(name, array);
  }

  /** Brings everything to where steps find it. */
  async ready(): Promise<void> {
    for (const [name, data] of this.#waiting) {
      let buffer = this.#buffers.get(name);
      if (!buffer) {
        const { COPY_DST, COPY_SRC, STORAGE } = GPUBufferUsage;
        const size = Math.ceil(data.byteLength / 4) * 4;
        buffer = await createBuffer(this.#gpu, { size, usage: STORAGE | COPY_SRC | COPY_DST });
        this.#buffers.set(name, buffer);
      }
      upload(this.#gpu, buffer, data);
      this.#waiting.delete(name);
    }
  }

  buffer(name: string): GPUBuffer {
    this.#specOf(name);
    return this.#buffers.get(name)!;
  }

  dispose(): Promise<void> {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
    this.#waiting.clear();
    return Promise.resolve();
  }

  #specOf(name: string): TensorSpec {
    const spec = this.specs[name];
    if (!spec) throw new Error(`internal: engine: there is no state "${name}".`);
    return spec;
  }
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
