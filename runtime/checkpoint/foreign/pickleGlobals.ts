/**
 * The globals that a pickle may name, each with what it stands for here. A pickle is a program that calls functions by name; this list
 * is all that there is to call, and none of it does more than put values together.
 */
import { PickledObject, TorchStorage, TorchTensor, type ElementType } from './torchTypes.ts';

/** A name on the list: what calling it with arguments gives. */
export interface AllowedGlobal {
  name: string;
  call(args: readonly unknown[]): unknown;
}

/** Storage classes with their element types. */
const storages: Record<string, ElementType> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};

const rebuilders: Record<string, (args: readonly unknown[]) => unknown> = {
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_parameter': ([tensor]) => tensor,
  'torch._utils._rebuild_parameter_with_state': ([tensor]) => tensor,
  'collections.OrderedDict': ([pairs]) => mapOf(pairs),
  'builtins.dict': ([pairs]) => mapOf(pairs),
  'collections.defaultdict': () => new Map(),
  'collections.Counter': ([counts]) => (counts instanceof Map ? counts : new Map()),
  'builtins.set': ([items]) => arrayOf(items),
  'builtins.frozenset': ([items]) => arrayOf(items),
  'builtins.list': ([items]) => arrayOf(items),
  'builtins.tuple': ([items]) => arrayOf(items),
  'torch.Size': ([items]) => arrayOf(items),
};

/** Classes whose objects are kept as a name and their parts; nobody looks into them. */
const opaque = new Set([
  'argparse.Namespace',
  'pathlib.PosixPath',
  'pathlib.PurePosixPath',
  'torch.device',
  'torch.serialization._get_layout',
  'numpy.dtype',
  'numpy.ndarray',
  'numpy.core.multiarray.scalar',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray.scalar',
  'numpy._core.multiarray._reconstruct',
  '_codecs.encode',
  'builtins.int',
  'builtins.float',
  'builtins.bool',
  'builtins.str',
  'builtins.complex',
  'builtins.slice',
  'builtins.bytearray',
]);

const dtypes = /^torch\.(float(16|32|64)?|bfloat16|half|double|u?int(8|16|32|64)|long|bool|strided|preserve_format)$/;

/** The global of that name; undefined where it is not on the list. */
export function allowedGlobal(module: string, attribute: string): AllowedGlobal | undefined {
  // Python 2 and pickle protocols up to 2 say `__builtin__`.
  const name = `${module === '__builtin__' ? 'builtins' : module}.${attribute}`;
  const rebuild = Object.hasOwn(rebuilders, name) ? rebuilders[name] : undefined;
  if (rebuild) return { name, call: rebuild };
  if (opaque.has(name) || dtypes.test(name) || Object.hasOwn(storages, name) || name === untyped)
    return { name, call: (args) => new PickledObject(name, args) };
  return undefined;
}

const untyped = 'torch.storage.UntypedStorage';

/**
 * The storage that a persistent id names: `('storage', class, key, location, elements, ...)`.
 *
 * @returns undefined where it is anything else
 */
export function storageOf(persistentId: unknown): TorchStorage | undefined {
  if (!Array.isArray(persistentId)) return undefined;
  const [kind, storageClass, key, , elements] = persistentId as unknown[];
  if (kind !== 'storage' || !isGlobal(storageClass) || !isCount(elements)) return undefined;
  const dtype = Object.hasOwn(storages, storageClass.name) ? storages[storageClass.name] : undefined;
  return dtype && (typeof key === 'string' || typeof key === 'number')
    ? new TorchStorage(String(key), dtype, elements)
    : undefined;
}

function isGlobal(value: unknown): value is AllowedGlobal {
  return typeof value === 'object' && value !== null && 'call' in value && 'name' in value;
}

function rebuildTensor([storage, offset, shape, strides]: readonly unknown[]): TorchTensor {
  if (!(storage instanceof TorchStorage)) throw new PickleFault('a tensor without a storage');
  if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length)
    throw new PickleFault('a tensor whose offset, shape or strides are not whole numbers');
  return new TorchTensor(storage, offset, shape, strides);
}

/** What is wrong with a pickle, in words that finish "it holds ...". */
export class PickleFault extends Error {}

function mapOf(pairs: unknown): Map<unknown, unknown> {
  if (pairs instanceof Map) return pairs as Map<unknown, unknown>;
  const map = new Map<unknown, unknown>();
  for (const pair of arrayOf(pairs)) if (Array.isArray(pair)) map.set(pair[0], pair[1]);
  return map;
}

function arrayOf(items: unknown): unknown[] {
  return Array.isArray(items) ? (items as unknown[]) : [];
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);
