import { Tensor } from 'onnxruntime-node';
import type { Precision, TensorSpec, TypedArray } from '../engine.ts';
import { sizeOf } from '../graph/ir.ts';

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
