/**
 * Writes a `.pth` that `torch.load(weights_only=True)` takes: a zip file of a pickle and one entry per tensor, as `torch.save` makes it.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { errors } from '../../../protocol/errors.ts';
import type { TensorMap } from '../safetensors.ts';
import { crc32 } from './crc32.ts';

/** Entries begin at multiples of this, so that storages can be mapped. */
const alignment = 64;
const largestFileBytes = 2 ** 32 - 2 ** 20;

/**
 * Writes an ordered dictionary of float32 tensors into a file that is not there yet.
 *
 * @throws exportRefused beyond 4 GiB, and what the file system says: EEXIST where there is a file of that name
 */
export function writeTorchFile(path: string, tensors: TensorMap): { bytes: number } {
  const total = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  if (total > largestFileBytes) throw errors.exportRefused(path, `a .pth of ${total} bytes needs 64-bit sizes`);
  const root = 'archive';
  const contents: { name: string; bytes: Buffer }[] = [
    { name: `${root}/data.pkl`, bytes: stateDictPickle(tensors) },
    { name: `${root}/byteorder`, bytes: Buffer.from('little') },
    ...[...tensors.values()].map(({ data }, index) => ({
      name: `${root}/data/${index}`,
      bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
    })),
    { name: `${root}/version`, bytes: Buffer.from('3\n') },
  ];
  // Takes the name, so that nobody's file is replaced; under it stands nothing or the whole.
  closeSync(openSync(path, 'wx'));
  const temporary = `${path}.partial-${process.pid}`;
  try {
    const bytes = writeStoredZip(temporary, contents);
    renameSync(temporary, path);
    return { bytes };
  } catch (error) {
    rmSync(temporary, { force: true });
    rmSync(path, { force: true });
    throw error;
  }
}

function writeStoredZip(path: string, contents: readonly { name: string; bytes: Buffer }[]): number {
  const file = openSync(path, 'wx');
  let at = 0;
  const write = (bytes: Buffer) => {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done);
    at += bytes.length;
  };
  try {
    const directory: Buffer[] = [];
    for (const { name, bytes } of contents) {
      const nameBytes = Buffer.from(name);
      const checksum = crc32(bytes);
      const header = at;
      // An extra field of padding, with the two letters that PyTorch gives it.
      const used = header + 30 + nameBytes.length + 4;
      const padding = (alignment - (used % alignment)) % alignment;
      const extra = Buffer.alloc(4 + padding, 'Z');
      extra.write('FB', 0);
      extra.writeUInt16LE(padding, 2);
      const sizes = (record: Buffer, offset: number) => {
        record.writeUInt32LE(checksum, offset);
        record.writeUInt32LE(bytes.length, offset + 4);
        record.writeUInt32LE(bytes.length, offset + 8);
        record.writeUInt16LE(nameBytes.length, offset + 12);
      };
      const local = Buffer.alloc(30);
      local.writeUInt32LE(0x04034b50, 0);
      sizes(local, 14);
      local.writeUInt16LE(extra.length, 28);
      write(local);
      write(nameBytes);
      write(extra);
      write(bytes);

      const central = Buffer.alloc(46);
      central.writeUInt32LE(0x02014b50, 0);
      sizes(central, 16);
      central.writeUInt32LE(header, 42);
      directory.push(central, nameBytes);
    }
    const start = at;
    directory.forEach(write);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(contents.length, 8);
    end.writeUInt16LE(contents.length, 10);
    end.writeUInt32LE(at - start, 12);
    end.writeUInt32LE(start, 16);
    write(end);
    fsyncSync(file);
    return at;
  } finally {
    closeSync(file);
  }
}

/** `OrderedDict((name, _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())), ...)` in protocol 2. */
function stateDictPickle(tensors: TensorMap): Buffer {
  const parts: Buffer[] = [];
  const put = (...bytes: (string | Buffer)[]) =>
    bytes.forEach((part) => parts.push(typeof part === 'string' ? Buffer.from(part, 'latin1') : part));
  const text = (value: string) => {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    put('X', length, bytes);
  };
  const whole = (value: number) => {
    const bytes = Buffer.alloc(5);
    if (value < 2 ** 31) {
      bytes.write('J', 0, 'latin1');
      bytes.writeInt32LE(value, 1);
      return put(bytes);
    }
    const long = Buffer.alloc(10);
    long.writeUInt8(0x8a, 0);
    long.writeUInt8(8, 1);
    long.writeBigInt64LE(BigInt(value), 2);
    put(long);
  };
  const tuple = (values: readonly number[]) => {
    put('(');
    values.forEach(whole);
    put('t');
  };
  const emptyOrderedDict = () => put('ccollections\nOrderedDict\n', ')', 'R');

  put('\x80\x02');
  emptyOrderedDict();
  put('(');
  [...tensors].forEach(([name, { shape, data }], index) => {
    text(name);
    put('ctorch._utils\n_rebuild_tensor_v2\n', '(');
    put('(');
    text('storage');
    put('ctorch\nFloatStorage\n');
    text(String(index));
    text('cpu');
    whole(data.length);
    put('t', 'Q');
    whole(0);
    tuple(shape);
    tuple(shape.map((_, axis) => shape.slice(axis + 1).reduce((product, length) => product * length, 1)));
    put('\x89');
    emptyOrderedDict();
    put('t', 'R');
  });
  put('u', '.');
  return Buffer.concat(parts);
}
