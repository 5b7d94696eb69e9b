/** A checkpoint file of somebody else's, as named tensors that are read one at a time. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { errors } from '../../../protocol/errors.ts';
import { readTensorTable } from '../safetensors.ts';
import { float32Of } from './elements.ts';
import { FileFault, readAt } from './openFile.ts';
import { PickleFault } from './pickleGlobals.ts';
import { isZip } from './storedZip.ts';
import { readLegacyTorch, readZipTorch } from './torchFile.ts';
import { elementBytes, type ElementType } from './torchTypes.ts';

export interface ForeignTensor {
  shape: readonly number[];
  dtype: ElementType;
  /** Its elements in row-major order, in bytes of `dtype`. */
  readBytes(): Buffer;
}

export interface ForeignFile {
  path: string;
  format: 'safetensors' | 'pytorch';
  bytes: number;
  /** By dotted path: nested dictionaries are joined by dots. */
  tensors: ReadonlyMap<string, ForeignTensor>;
  /** Texts that a safetensors header carries beside its tensors. */
  metadata: Readonly<Record<string, string>>;
  close(): void;
}

/**
 * Opens a `.safetensors` file, or a `.pth`/`.pt` of either of PyTorch's formats; which one is decided by content. Only the table of
 * contents is read here.
 *
 * @throws importRefused
 */
export function openForeignFile(path: string): ForeignFile {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (error) {
    throw errors.importRefused(path, `it can't be opened (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  try {
    const { size, isFile } = ((stat) => ({ size: stat.size, isFile: stat.isFile() }))(fstatSync(handle));
    if (!isFile) throw errors.importRefused(path, 'it is not a file');
    const file = { handle, bytes: size };
    const close = () => closeSync(handle);
    const head = readAt(file, 0, Math.min(size, 16));
    if (isZip(head)) {
      return { path, format: 'pytorch', bytes: size, tensors: readZipTorch(file), metadata: {}, close };
    }
    // A safetensors header is a JSON object behind 8 bytes of length; every pickle of PyTorch's begins with its protocol.
    if (head.length > 8 && head[8] === 0x7b) {
      const { tensors, metadata } = readTensorTable(handle, size, (reason) => errors.importRefused(path, reason));
      return { path, format: 'safetensors', bytes: size, tensors, metadata, close };
    }
    if (head[0] === 0x80) {
      return { path, format: 'pytorch', bytes: size, tensors: readLegacyTorch(file), metadata: {}, close };
    }
    throw errors.importRefused(path, 'its content is neither safetensors nor a PyTorch checkpoint');
  } catch (error) {
    closeSync(handle);
    throw asRefusal(path, error);
  }
}

function asRefusal(path: string, error: unknown): unknown {
  if (error instanceof PickleFault) return errors.importRefused(path, `it holds ${error.message}`);
  return error instanceof FileFault ? errors.importRefused(path, error.message) : error;
}

/** A tensor's elements as float32. @throws importRefused for elements that are no floating-point numbers */
export function readForeignTensor(file: ForeignFile, name: string): Float32Array {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new Error(`internal: ${file.path} has no tensor '${name}'.`);
  let bytes: Buffer;
  try {
    bytes = tensor.readBytes();
  } catch (error) {
    throw asRefusal(file.path, error);
  }
  const values = float32Of(bytes, tensor.dtype);
  if (!values) throw errors.importRefused(file.path, `its tensor '${name}' is ${tensor.dtype}, not floating-point`);
  return values;
}

/** Bytes that a tensor takes when it is read. */
export function tensorBytes({ shape, dtype }: ForeignTensor): number {
  return shape.reduce((product, length) => product * length, 1) * elementBytes[dtype];
}
