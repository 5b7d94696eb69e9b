import { join } from 'node:path';
import { decodeFile } from '../decode.ts';
import type { FilesHandle, Split } from '../dataset.ts';
import { sharedBytes, sharedIndices } from './shared.ts';

/** Image files under one folder, each decoded when asked for. */
export function filesSplit(handle: FilesHandle): Split {
  const relativePath = (index: number): string => unpackName(handle, index);
  return {
    name: handle.name,
    path: handle.path,
    size: handle.size,
    classes: handle.classes,
    image: (index) => decodeFile(join(handle.path, relativePath(index))),
    label: (index) => (handle.labels_N === null ? null : handle.labels_N[index]!),
    nameOf: relativePath,
    share: () => handle,
  };
}

/** A path out of the packed ones. */
export function unpackName(
  { names, nameEnds_N, size }: Pick<FilesHandle, 'names' | 'nameEnds_N' | 'size'>,
  index: number,
): string {
  const end = nameEnds_N[index];
  if (end === undefined) throw new Error(`internal: image ${index} of a split of ${size}`);
  // TextDecoder refuses shared memory, so the name's few bytes are copied.
  return new TextDecoder().decode(names.slice(index === 0 ? 0 : nameEnds_N[index - 1]!, end));
}

/** Paths one after the other in shared memory: a million of them cross a thread border without being copied. */
export function packNames(names: readonly string[]): Pick<FilesHandle, 'names' | 'nameEnds_N'> {
  const nameEnds_N = sharedIndices(names.length);
  let bytes = 0;
  names.forEach((name, index) => (nameEnds_N[index] = bytes += Buffer.byteLength(name)));
  const packed = sharedBytes(bytes);
  const view = Buffer.from(packed.buffer);
  names.forEach((name, index) => view.write(name, index === 0 ? 0 : nameEnds_N[index - 1]!));
  return { names: packed, nameEnds_N };
}
