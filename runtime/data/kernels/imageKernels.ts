/**
 * The WebAssembly image kernels with their memory. One instance belongs to one thread.
 *
 * Addresses are byte offsets in that memory. Loads and stores are 16 bytes wide, so every region has 64 bytes to spare
 * on both sides.
 */
import { kernelsBase64 } from './imageKernels.wasm.ts';

export interface KernelExports {
  memory: WebAssembly.Memory;
  heapBase: () => number;
  entryBytes: (outSize: number, inSize: number, bicubic: number) => number;
  coefficients: (
    table: number,
    scratch: number,
    outSize: number,
    inSize: number,
    bicubic: number,
    first: number,
    count: number,
    reversed: number,
  ) => void;
  resampleRowsRgb: (
    target: number,
    targetPitch: number,
    source: number,
    sourcePitch: number,
    rows: number,
    table: number,
    entryBytes: number,
    count: number,
  ) => void;
  resampleRowsGrey: (
    target: number,
    targetPitch: number,
    source: number,
    sourcePitch: number,
    rows: number,
    table: number,
    entryBytes: number,
    count: number,
  ) => void;
  resampleColumns: (
    target: number,
    source: number,
    pitch: number,
    table: number,
    entryBytes: number,
    count: number,
  ) => void;
  splitRgb: (planes: number, planeBytes: number, source: number, pitch: number, width: number, height: number) => void;
  packRows: (plane: number, source: number, pitch: number, width: number, height: number) => void;
  joinRgb: (target: number, planes: number, planeBytes: number, pixels: number) => void;
  blendConstant: (plane: number, length: number, constant: number, alpha: number) => void;
  sumLuma: (planes: number, planeBytes: number, pixels: number) => number;
  grayscale: (planes: number, planeBytes: number, pixels: number) => void;
  saturate: (planes: number, planeBytes: number, pixels: number, alpha: number) => void;
  solarize: (plane: number, length: number) => void;
  rotateHue: (planes: number, planeBytes: number, pixels: number, shift: number) => void;
  /** The same for one pixel, without SIMD. */
  rotateOne: (at: number, planeBytes: number, shift: number) => void;
  boxBlurRows: (
    target: number,
    source: number,
    width: number,
    height: number,
    radius: number,
    inner: number,
    outer: number,
  ) => void;
  boxBlurColumns: (
    target: number,
    source: number,
    width: number,
    height: number,
    radius: number,
    inner: number,
    outer: number,
  ) => void;
  blurKernel9: (
    plane: number,
    scratch: number,
    width: number,
    height: number,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    w4: number,
  ) => void;
}

export interface ImageKernels extends KernelExports {
  /** Grows the memory to at least `bytes`; views of it made before are then detached. */
  reserve(bytes: number): void;
  /** A view of all memory, as it is now. */
  bytes(): Uint8Array;
}

const pageBytes = 65536;
let compiled: WebAssembly.Module | null = null;

/** A fresh instance; compilation happens once per thread. */
export function createImageKernels(): ImageKernels {
  compiled ??= new WebAssembly.Module(Buffer.from(kernelsBase64, 'base64'));
  const abort = (): never => {
    throw new Error('internal: an image kernel trapped');
  };
  const kernels = new WebAssembly.Instance(compiled, { env: { abort } }).exports as unknown as KernelExports;
  let view = new Uint8Array(kernels.memory.buffer);
  return {
    ...kernels,
    reserve: (bytes) => {
      const missing = bytes - kernels.memory.buffer.byteLength;
      if (missing > 0) kernels.memory.grow(Math.ceil(missing / pageBytes));
    },
    bytes: () => (view.buffer === kernels.memory.buffer ? view : (view = new Uint8Array(kernels.memory.buffer))),
  };
}
