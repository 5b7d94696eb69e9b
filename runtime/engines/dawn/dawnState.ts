import { DeviceState } from '../deviceState.ts';
import type { StateOptions, TensorSpec, TypedArray } from '../engine.ts';
import { createBuffer, type DawnDevice } from './device.ts';
import { download, upload } from './transfer.ts';

/** State in buffers of the GPU, one per entry. */
export class DawnState extends DeviceState {
  readonly #gpu: DawnDevice;
  readonly #buffers = new Map<string, GPUBuffer>();

  constructor(
    gpu: DawnDevice,
    specs: Readonly<Record<string, TensorSpec>>,
    values: Readonly<Record<string, TypedArray>>,
    options: StateOptions,
  ) {
    super(specs, values, options);
    this.#gpu = gpu;
  }

  buffer(name: string): GPUBuffer {
    this.specOf(name);
    return this.#buffers.get(name)!;
  }

  protected async place(name: string, data: TypedArray): Promise<void> {
    let buffer = this.#buffers.get(name);
    if (!buffer) {
      const { COPY_DST, COPY_SRC, STORAGE } = GPUBufferUsage;
      const size = Math.ceil(data.byteLength / 4) * 4;
      buffer = await createBuffer(this.#gpu, { size, usage: STORAGE | COPY_SRC | COPY_DST });
      this.#buffers.set(name, buffer);
    }
    upload(this.#gpu, buffer, data);
  }

  protected download(names: readonly string[]): Promise<TypedArray[]> {
    return download(
      this.#gpu,
      names.map((name) => ({ buffer: this.buffer(name), ...this.specOf(name) })),
    );
  }

  protected release(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}
