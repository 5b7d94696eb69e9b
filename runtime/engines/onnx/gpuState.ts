import type { Tensor } from 'onnxruntime-node';
import type { Precision, StateOptions, TensorSpec, TypedArray } from '../engine.ts';
import type { GpuTransfer } from './gpuTransfer.ts';
import type { StepState } from './onnxStep.ts';
import { tensorOf } from './tensors.ts';

/**
 * State on the GPU, double buffered: a step reads the current tensors and writes its updates into spare ones, since a result that shares
 * its operand's memory is wrong without a word. Values wait on the host until they are first needed there.
 */
export class GpuState implements StepState {
  readonly specs: Readonly<Record<string, TensorSpec>>;
  readonly precision: Precision = 'float32';
  readonly #transfer: GpuTransfer;
  readonly #current = new Map<string, Tensor>();
  readonly #spare = new Map<string, Tensor>();
  /** Entries that are on the host still, by their name. */
  readonly #waiting = new Map<string, TypedArray>();

  constructor(
    transfer: GpuTransfer,
    specs: Readonly<Record<string, TensorSpec>>,
    values: Readonly<Record<string, TypedArray>>,
    { arrays = 'copied' }: StateOptions,
  ) {
    this.#transfer = transfer;
    this.specs = specs;
    for (const name of Object.keys(values)) this.#specOf(name);
    for (const [name, spec] of Object.entries(specs)) {
      const given = arrays === 'copied' ? values[name]?.slice() : values[name];
      this.#waiting.set(name, arrayOf(name, spec, given));
    }
  }

  async read(names: readonly string[] = Object.keys(this.specs)): Promise<Record<string, TypedArray>> {
    const values: Record<string, TypedArray> = {};
    for (const name of names) {
      this.#specOf(name);
      const waiting = this.#waiting.get(name);
      values[name] = waiting ? waiting.slice() : await this.#transfer.download(this.#current.get(name)!);
    }
    return values;
  }

  async write(values: Readonly<Record<string, TypedArray>>): Promise<void> {
    const arrays = Object.entries(values).map(
      ([name, data]) => [name, arrayOf(name, this.#specOf(name), data.slice())] as const,
    );
    for (const [name, array] of arrays) this.#waiting.set(name, array);
  }

  async ready(): Promise<void> {
    for (const [name, data] of this.#waiting) {
      const { dtype, shape } = this.#specOf(name);
      const uploaded = await this.#transfer.upload(data, dtype, shape);
      this.#current.get(name)?.dispose();
      this.#current.set(name, uploaded);
      // The second buffer, with any content.
      if (!this.#spare.has(name)) this.#spare.set(name, await this.#transfer.upload(data, dtype, shape));
      this.#waiting.delete(name);
    }
  }

  current(name: string): Tensor {
    this.#specOf(name);
    return this.#current.get(name)!;
  }

  spare(name: string): Tensor {
    this.#specOf(name);
    return this.#spare.get(name)!;
  }

  swap(names: readonly string[]): void {
    for (const name of names) {
      const written = this.#spare.get(name)!;
      this.#spare.set(name, this.#current.get(name)!);
      this.#current.set(name, written);
    }
  }

  dispose(): Promise<void> {
    for (const tensor of [...this.#current.values(), ...this.#spare.values()]) tensor.dispose();
    this.#current.clear();
    this.#spare.clear();
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
function arrayOf(name: string, spec: TensorSpec, values?: TypedArray): TypedArray {
  return tensorOf(`state "${name}"`, spec, 'float32', values).data as TypedArray;
}
