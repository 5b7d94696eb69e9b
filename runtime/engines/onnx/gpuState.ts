import type { Tensor } from 'onnxruntime-node';
import { DeviceState } from '../deviceState.ts';
import type { StateOptions, TensorSpec, TypedArray } from '../engine.ts';
import type { GpuTransfer } from './gpuTransfer.ts';
import type { StepState } from './onnxStep.ts';

/**
 * State on the GPU, double buffered: a step reads the current tensors and writes its updates into spare ones, since a result that shares
 * its operand's memory is wrong without a word.
 */
export class GpuState extends DeviceState implements StepState {
  readonly #transfer: GpuTransfer;
  readonly #current = new Map<string, Tensor>();
  readonly #spare = new Map<string, Tensor>();

  constructor(
    transfer: GpuTransfer,
    specs: Readonly<Record<string, TensorSpec>>,
    values: Readonly<Record<string, TypedArray>>,
    options: StateOptions,
  ) {
    super(specs, values, options);
    this.#transfer = transfer;
  }

  current(name: string): Tensor {
    this.specOf(name);
    return this.#current.get(name)!;
  }

  spare(name: string): Tensor {
    this.specOf(name);
    return this.#spare.get(name)!;
  }

  swap(names: readonly string[]): void {
    for (const name of names) {
      const written = this.#spare.get(name)!;
      this.#spare.set(name, this.#current.get(name)!);
      this.#current.set(name, written);
    }
  }

  protected async place(name: string, data: TypedArray): Promise<void> {
    const { dtype, shape } = this.specOf(name);
    const uploaded = await this.#transfer.upload(data, dtype, shape);
    this.#current.get(name)?.dispose();
    this.#current.set(name, uploaded);
    // The second buffer, with any content.
    if (!this.#spare.has(name)) this.#spare.set(name, await this.#transfer.upload(data, dtype, shape));
  }

  protected async download(names: readonly string[]): Promise<TypedArray[]> {
    const arrays: TypedArray[] = [];
    for (const name of names) arrays.push(await this.#transfer.download(this.current(name)));
    return arrays;
  }

  protected release(): void {
    for (const tensor of [...this.#current.values(), ...this.#spare.values()]) tensor.dispose();
    this.#current.clear();
    this.#spare.clear();
  }
}
