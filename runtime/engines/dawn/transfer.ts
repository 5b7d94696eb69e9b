import type { TensorSpec, TypedArray } from '../engine.ts';
import { sizeOf } from '../graph/ir.ts';
import { createBuffer, type DawnDevice } from './device.ts';

/** Writes an array to the start of a buffer. */
export function upload({ device }: DawnDevice, buffer: GPUBuffer, data: TypedArray): void {
  // Whole words are written: the last bytes of an array of bytes go in one that is filled up.
  const words = data.byteLength & ~3;
  if (words > 0) device.queue.writeBuffer(buffer, 0, data.buffer, data.byteOffset, words);
  if (words === data.byteLength) return;
  const last = new Uint8Array(4);
  last.set(new Uint8Array(data.buffer, data.byteOffset + words));
  device.queue.writeBuffer(buffer, words, last);
}

export interface Source {
  buffer: GPUBuffer;
  shape: readonly number[];
  /** `bool` lies in words and comes back as bytes. */
  dtype: TensorSpec['dtype'] | 'bool';
}

/** Copies arrays to the host, all at once. */
export async function download(gpu: DawnDevice, sources: readonly Source[]): Promise<TypedArray[]> {
  if (sources.length === 0) return [];
  const sizes = sources.map(({ shape, dtype }) => Math.ceil((sizeOf(shape) * (dtype === 'uint8' ? 1 : 4)) / 4) * 4);
  const { COPY_DST, MAP_READ } = GPUBufferUsage;
  const size = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const staging = await createBuffer(gpu, { size, usage: COPY_DST | MAP_READ });
  try {
    const encoder = gpu.device.createCommandEncoder();
    let offset = 0;
    sources.forEach(({ buffer }, index) => {
      encoder.copyBufferToBuffer(buffer, 0, staging, offset, sizes[index]);
      offset += sizes[index]!;
    });
    gpu.device.queue.submit([encoder.finish()]);
    return await readStaging(gpu, staging, sources);
  } finally {
    staging.destroy();
  }
}

/** The arrays that lie one behind the other in a buffer that may be mapped, once everything before is done. */
export async function readStaging(
  { lost }: DawnDevice,
  staging: GPUBuffer,
  sources: readonly Omit<Source, 'buffer'>[],
): Promise<TypedArray[]> {
  await Promise.race([staging.mapAsync(GPUMapMode.READ), lost]);
  const mapped = staging.getMappedRange();
  let offset = 0;
  const arrays = sources.map(({ shape, dtype }) => {
    const length = sizeOf(shape);
    const begin = offset;
    offset += Math.ceil((length * (dtype === 'uint8' ? 1 : 4)) / 4) * 4;
    switch (dtype) {
      case 'float32':
        return new Float32Array(mapped, begin, length).slice();
      case 'int32':
        return new Int32Array(mapped, begin, length).slice();
      case 'uint8':
        return new Uint8Array(mapped, begin, length).slice();
      case 'bool':
        return Uint8Array.from(new Uint32Array(mapped, begin, length));
    }
  });
  staging.unmap();
  return arrays;
}
