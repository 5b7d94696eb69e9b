import type { Tensor } from 'onnxruntime-node';
import type { Precision, StateOptions, TensorSpec, TypedArray } from '../engine.ts';
import type { StepState } from './onnxStep.ts';
import { tensorOf } from './tensors.ts';

/**
 * State on the host. A step reads the current tensors and writes its updates over them where it may, else into spare ones that then change
 * places with them. A step that fails before its first update leaves the state as it was; one that fails later leaves none.
 */
export class HostState implements StepState {
  readonly specs: Readonly<Record<string, TensorSpec>>;
  readonly precision: Precision;
  readonly #current = new Map<string, Tensor>();
  readonly #spare = new Map<string, Tensor>();
  #spoiltBy: Error | undefined;

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

  ready(): Promise<void> {
    return Promise.resolve();
  }

  current(name: string): Tensor {
    if (this.#spoiltBy) throw this.#spoiltBy;
    this.#specOf(name);
    return this.#current.get(name)!;
  }

  spare(name: string): Tensor {
    const known = this.#spare.get(name);
    if (known) return known;
    const tensor = tensorOf(`state "${name}"`, this.#specOf(name), this.precision);
    this.#spare.set(name, tensor);
    return tensor;
  }

  swap(names: readonly string[]): void {
    for (const name of names) {
      const written = this.#spare.get(name)!;
      this.#spare.set(name, this.#current.get(name)!);
      this.#current.set(name, written);
    }
  }

  spoil(error: Error): void {
    this.#spoiltBy = error;
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
