/**
 * The part of the zip format that PyTorch writes: entries that are stored as they are. Compressed entries are refused, so that a file
 * can't unpack to more than itself.
 */
import { FileFault, readAt, type OpenFile } from './openFile.ts';

export interface StoredEntry {
  name: string;
  bytes: number;
  /** The entry's content; its place is looked up on first use. */
  read(offset: number, length: number): Buffer;
}

export function isZip(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32LE(0) === 0x04034b50;
}

const largestDirectoryBytes = 64 * 2 ** 20;

/** The entries of a zip file by name. @throws FileFault */
export function storedEntries(file: OpenFile): Map<string, StoredEntry> {
  const { entries, directoryOffset, directoryBytes } = findDirectory(file);
  if (directoryBytes > largestDirectoryBytes) throw new FileFault(`its list of entries has ${directoryBytes} bytes`);
  const directory = readAt(file, directoryOffset, directoryBytes);
  const found = new Map<string, StoredEntry>();
  let at = 0;
  for (let index = 0; index < entries; index++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50)
      throw new FileFault('its list of entries is damaged');
    const method = directory.readUInt16LE(at + 10);
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const commentBytes = directory.readUInt16LE(at + 32);
    const name = directory.toString('utf8', at + 46, at + 46 + nameBytes);
    const extra = directory.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes);
    const { bytes, packed, header } = wideSizes(extra, {
      bytes: directory.readUInt32LE(at + 24),
      packed: directory.readUInt32LE(at + 20),
      header: directory.readUInt32LE(at + 42),
    });
    if (method !== 0 || packed !== bytes)
      throw new FileFault(
        `its entry '${name}' is compressed (${packed} bytes that claim to be ${bytes}); PyTorch stores entries as they are`,
      );
    if (found.has(name)) throw new FileFault(`it has two entries '${name}'`);
    found.set(name, storedEntry(file, name, bytes, header));
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return found;
}

function storedEntry(file: OpenFile, name: string, bytes: number, header: number): StoredEntry {
  let start: number | undefined;
  return {
    name,
    bytes,
    read: (offset, length) => {
      if (offset < 0 || length < 0 || offset + length > bytes)
        throw new FileFault(`its entry '${name}' has ${bytes} bytes, and ${offset + length} are claimed of it`);
      start ??= contentStart(file, name, header);
      return readAt(file, start + offset, length);
    },
  };
}

function contentStart(file: OpenFile, name: string, header: number): number {
  const local = readAt(file, header, 30);
  if (local.readUInt32LE(0) !== 0x04034b50) throw new FileFault(`its entry '${name}' does not begin where it should`);
  return header + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
}

/** The end record, and its 64-bit form where one stands before it. */
function findDirectory(file: OpenFile): { entries: number; directoryOffset: number; directoryBytes: number } {
  const tailBytes = Math.min(file.bytes, 22 + 65535);
  const tail = readAt(file, file.bytes - tailBytes, tailBytes);
  let end = -1;
  for (let at = tailBytes - 22; at >= 0 && end < 0; at--) if (tail.readUInt32LE(at) === 0x06054b50) end = at;
  if (end < 0) throw new FileFault('it is a zip file without an end: it was cut short');
  const narrow = {
    entries: tail.readUInt16LE(end + 10),
    directoryBytes: tail.readUInt32LE(end + 12),
    directoryOffset: tail.readUInt32LE(end + 16),
  };
  const locator = end - 20;
  if (locator < 0 || tail.readUInt32LE(locator) !== 0x07064b50) return narrow;
  const wide = readAt(file, wholeNumber(tail.readBigUInt64LE(locator + 8)), 56);
  if (wide.readUInt32LE(0) !== 0x06064b50) throw new FileFault('its 64-bit end record is damaged');
  return {
    entries: wholeNumber(wide.readBigUInt64LE(32)),
    directoryBytes: wholeNumber(wide.readBigUInt64LE(40)),
    directoryOffset: wholeNumber(wide.readBigUInt64LE(48)),
  };
}

interface Sizes {
  bytes: number;
  packed: number;
  header: number;
}

/** Sizes of 2^32 - 1 stand in the extra field of kind 1 instead, in this order. */
function wideSizes(extra: Buffer, narrow: Sizes): Sizes {
  const full = 0xffffffff;
  if (narrow.bytes !== full && narrow.packed !== full && narrow.header !== full) return narrow;
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let next = at + 4;
    const widened = (value: number) => {
      if (value !== full) return value;
      if (next + 8 > extra.length) throw new FileFault('its 64-bit sizes are damaged');
      next += 8;
      return wholeNumber(extra.readBigUInt64LE(next - 8));
    };
    return { bytes: widened(narrow.bytes), packed: widened(narrow.packed), header: widened(narrow.header) };
  }
  throw new FileFault('its 64-bit sizes are missing');
}

function wholeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new FileFault(`it claims a size of ${value}`);
  return Number(value);
}
