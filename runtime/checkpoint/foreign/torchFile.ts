/**
 * The two formats of `torch.save`. Since 1.6: a zip file with a pickle `data.pkl` and one entry per storage. Before: a stream of pickles
 * (magic number, version, machine, object, storage keys) with the storages behind it.
 */
import type { ForeignTensor } from './foreignFile.ts';
import { FileFault, readAt, type OpenFile } from './openFile.ts';
import { unpickle } from './pickle.ts';
import { PickleFault } from './pickleGlobals.ts';
import { storedEntries } from './storedZip.ts';
import { elementBytes, TorchTensor, type TorchStorage } from './torchTypes.ts';

/** Pickles of networks have some hundred bytes per tensor; this is a hundred thousand tensors. */
const largestPickleBytes = 32 * 2 ** 20;
const legacyMagic = 0x1950a86a20f9469cfc6cn;
/** Dictionaries within dictionaries. */
const deepest = 12;

type Tensors = Map<string, ForeignTensor>;
type ReadStorage = (storage: TorchStorage, firstByte: number, bytes: number) => Buffer;

/** Tensors of the zip format. @throws FileFault, PickleFault */
export function readZipTorch(file: OpenFile): Tensors {
  const entries = storedEntries(file);
  const pickleName = [...entries.keys()].find((name) => /^([^/]+\/)?data\.pkl$/.test(name));
  if (pickleName === undefined) {
    const isScript = [...entries.keys()].some((name) => name.endsWith('/constants.pkl'));
    throw new FileFault(
      isScript
        ? 'it is a TorchScript program, not a checkpoint'
        : 'it is a zip file without `data.pkl`, not of PyTorch',
    );
  }
  const root = pickleName.slice(0, -'data.pkl'.length);
  const order = entries.get(`${root}byteorder`);
  if (order && order.read(0, Math.min(order.bytes, 16)).toString() !== 'little')
    throw new FileFault('its numbers are big-endian');
  const pickle = entries.get(pickleName)!;
  if (pickle.bytes > largestPickleBytes) throw new FileFault(`its pickle has ${pickle.bytes} bytes`);
  const { value } = unpickle(pickle.read(0, pickle.bytes));
  return describedTensors(value, (storage, first, bytes) => {
    const entry = entries.get(`${root}data/${storage.key}`);
    if (!entry) throw new FileFault(`its storage ${storage.key} is missing`);
    return entry.read(first, bytes);
  });
}

/** Tensors of the older format. @throws FileFault, PickleFault */
export function readLegacyTorch(file: OpenFile): Tensors {
  const head = readAt(file, 0, Math.min(file.bytes, largestPickleBytes));
  const magic = unpickle(head);
  if (magic.value !== legacyMagic) throw new FileFault('it is a pickle, but not a PyTorch checkpoint');
  const version = unpickle(head, magic.end);
  if (version.value !== 1001) throw new FileFault(`its version is ${String(version.value)}, expected 1001`);
  const machine = unpickle(head, version.end);
  if (machine.value instanceof Map && machine.value.get('little_endian') === false)
    throw new FileFault('its numbers are big-endian');
  const object = unpickle(head, machine.end);
  const keys = unpickle(head, object.end);
  if (!Array.isArray(keys.value)) throw new PickleFault('no list of storages');

  const starts = new Map<string, number>();
  let at = keys.end;
  for (const key of keys.value.map(String)) {
    // In the order of their addresses when they were saved, so an optimiser's may come before a network's.
    const storage = object.storages.get(key);
    if (!storage) throw new FileFault(`its storage ${key} is listed but belongs to no tensor`);
    const elements = Number(readAt(file, at, 8).readBigInt64LE());
    if (elements !== storage.elements)
      throw new FileFault(`its storage ${key} has ${elements} elements, and ${storage.elements} are claimed`);
    starts.set(key, at + 8);
    at += 8 + elements * elementBytes[storage.dtype];
    if (at > file.bytes) throw new FileFault(`it ends before its storage ${key} does: it was cut short`);
  }
  return describedTensors(object.value, (storage, first, bytes) => {
    const start = starts.get(storage.key);
    if (start === undefined) throw new FileFault(`its storage ${storage.key} can't be found`);
    return readAt(file, start + first, bytes);
  });
}

function describedTensors(value: unknown, readStorage: ReadStorage): Tensors {
  const tensors: Tensors = new Map();
  for (const { name, tensor } of tensorsIn(value)) tensors.set(name, described(name, tensor, readStorage));
  return tensors;
}

/** A tensor within its storage, which an expanded one (of stride 0) would not be. */
function described(name: string, tensor: TorchTensor, readStorage: ReadStorage): ForeignTensor {
  const { storage, offset, shape, strides } = tensor;
  const size = elementBytes[storage.dtype];
  const elements = shape.reduce((product, length) => product * length, 1);
  const last =
    elements === 0 ? offset : shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis]!, offset);
  if (elements > storage.elements || (elements > 0 && last >= storage.elements))
    throw new FileFault(
      `its tensor '${name}' [${shape.join(',')}] claims more than the ${storage.elements} elements of its storage`,
    );
  return {
    shape,
    dtype: storage.dtype,
    readBytes: () => {
      const span = readStorage(storage, offset * size, elements === 0 ? 0 : (last - offset + 1) * size);
      return isContiguous(shape, strides) ? span : gathered(span, shape, strides, size);
    },
  };
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

function gathered(span: Buffer, shape: readonly number[], strides: readonly number[], size: number): Buffer {
  const elements = shape.reduce((product, length) => product * length, 1);
  const result = Buffer.alloc(elements * size);
  const place = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < elements; to++) {
    span.copy(result, to * size, from * size, (from + 1) * size);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++place[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      place[axis] = 0;
    }
  }
  return result;
}

/** The tensors of nested dictionaries by dotted path. One dictionary that is in several places counts where it is first. */
function* tensorsIn(
  value: unknown,
  path = '',
  depth = 0,
  seen = new Set<unknown>(),
): Generator<{ name: string; tensor: TorchTensor }> {
  if (value instanceof TorchTensor) yield { name: path, tensor: value };
  if (!(value instanceof Map) || depth > deepest || seen.has(value)) return;
  seen.add(value);
  for (const [key, child] of value)
    if (typeof key === 'string') yield* tensorsIn(child, path === '' ? key : `${path}.${key}`, depth + 1, seen);
}
