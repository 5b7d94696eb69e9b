import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inflateRawSync } from 'node:zlib';

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;

/** Unpacks a zip file (a VSIX is one) into `folder` and returns the names of its files. No zip64, no encryption. */
export function unpackZip(path: string, folder: string): string[] {
  const zip = readFileSync(path);
  const entries = [...entriesOf(zip, path)].filter(({ name }) => !name.endsWith('/'));
  for (const { name, at } of entries) write(join(folder, name), contentOf(zip, at));
  return entries.map(({ name }) => name);
}

/** How many bytes each file of a zip file takes in it, by name. */
export function packedSizes(path: string): Map<string, number> {
  const zip = readFileSync(path);
  return new Map([...entriesOf(zip, path)].map(({ name, at }) => [name, zip.readUInt32LE(at + 20)]));
}

function* entriesOf(zip: Buffer, path: string): Generator<{ name: string; at: number }> {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || zip.readUInt32LE(end) !== endOfDirectory) throw new Error(`${path} is not a zip file.`);
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  for (let entry = 0; entry < count; entry++) {
    if (zip.readUInt32LE(at) !== directoryEntry) throw new Error(`${path}: its directory is damaged at byte ${at}.`);
    const nameLength = zip.readUInt16LE(at + 28);
    yield { name: zip.toString('utf8', at + 46, at + 46 + nameLength), at };
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
}

function contentOf(zip: Buffer, entryAt: number): Buffer {
  const method = zip.readUInt16LE(entryAt + 10);
  const size = zip.readUInt32LE(entryAt + 20);
  const headerAt = zip.readUInt32LE(entryAt + 42);
  const dataAt = headerAt + 30 + zip.readUInt16LE(headerAt + 26) + zip.readUInt16LE(headerAt + 28);
  const data = zip.subarray(dataAt, dataAt + size);
  if (method === 0) return data;
  if (method === 8) return inflateRawSync(data);
  throw new Error(`A zip entry is packed by method ${method}, which is not supported.`);
}

function write(path: string, content: Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
