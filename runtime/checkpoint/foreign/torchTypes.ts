/** What a PyTorch file holds, as plain data: nothing of it is code. */

/** Element types of tensors by their name in safetensors; null where this product can't turn them into float32. */
export const elementBytes = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;
export type ElementType = keyof typeof elementBytes;

/** A run of elements in the file, shared by the tensors that are views of it. */
export class TorchStorage {
  constructor(
    readonly key: string,
    readonly dtype: ElementType,
    readonly elements: number,
  ) {}
}

/** A strided view of a storage. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    /** In elements, like the strides. */
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** An object of an allowed class, such as `argparse.Namespace`: its name and what it was built from. */
export class PickledObject {
  state: unknown = undefined;
  constructor(
    readonly className: string,
    readonly args: readonly unknown[],
  ) {}
}
