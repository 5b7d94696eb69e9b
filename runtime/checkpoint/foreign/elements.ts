import type { ElementType } from './torchTypes.ts';

/** Little-endian elements as float32; null for types that are no floating-point numbers. */
export function float32Of(bytes: Buffer, dtype: ElementType): Float32Array | null {
  switch (dtype) {
    case 'F32':
      return new Float32Array(aligned(bytes, 4));
    case 'F64':
      return Float32Array.from(new Float64Array(aligned(bytes, 8)));
    case 'F16':
      return Float32Array.from(new Uint16Array(aligned(bytes, 2)), half);
    case 'BF16': {
      // The upper half of a float32.
      const wide = new Uint32Array(bytes.length / 2);
      new Uint16Array(aligned(bytes, 2)).forEach((bits, at) => (wide[at] = bits << 16));
      return new Float32Array(wide.buffer);
    }
    default:
      return null;
  }
}

/** The same bytes in a buffer of their own. */
function aligned(bytes: Buffer, size: number): ArrayBuffer {
  if (bytes.byteOffset % size === 0 && bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength)
    return bytes.buffer;
  return Uint8Array.from(bytes).buffer;
}

/** IEEE 754 half precision. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
